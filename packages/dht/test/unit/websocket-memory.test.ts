import process from 'node:process'
import { expect, it } from 'vitest'
import { frameOf, OPCODE, WebSocketFrameReader } from '../../src/transport/websocket-frames.ts'
import { collectGarbage } from '../support/collect-garbage.ts'

const MASKED = { isMasked: true }
const READERS = 200

/** Bytes that a reader may occupy by itself. */
const READER_BYTES = 8192

const silent = { onData() {}, onPing() {}, onClose() {} }
const one = frameOf(Uint8Array.of(7), { opcode: OPCODE.binary, ...MASKED })

/** Makes a reader that has refused a flood of tiny frames. */
function flooded(): WebSocketFrameReader {
  const reader = new WebSocketFrameReader(silent, MASKED)
  const flood = Buffer.concat(new Array(5000).fill(one))
  expect(() => reader.push(flood)).toThrow(/too small/)
  return reader
}

it('keeps nothing of a flood of tiny frames: no object of each (N13n)', () => {
  flooded()
  collectGarbage()
  const { heapUsed: before } = process.memoryUsage()
  const readers = Array.from({ length: READERS }, flooded)
  collectGarbage()
  const { heapUsed: after } = process.memoryUsage()

  expect(readers).toHaveLength(READERS)
  expect(after - before).toBeLessThan(READERS * READER_BYTES)
})
