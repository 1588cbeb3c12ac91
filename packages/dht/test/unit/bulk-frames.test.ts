import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BulkLane } from '../../src/wire/bulk-lane.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { FrameReader, writeAck, writePart } from '../../src/wire/frames.ts'
import { MAX_MESSAGE_BYTES, MAX_PART_BYTES } from '../../src/wire/limits.ts'
import { MessageTooLargeError } from '../../src/wire/message-too-large-error.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'
import { law } from '../support/effort.ts'
import { frameOf, headOf } from '../support/exchange-talker.ts'

const PART = 2 ** 30
const END = 2 ** 31
const ACK = 2 ** 31 + 2 ** 30

function parts(message: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const frames: Uint8Array[] = []

  for (let at = 0, i = 0; at < message.length; i++) {
    const end = Math.min(at + (sizes[i % sizes.length] ?? 1), message.length)
    const writer = new ByteWriter()
    writePart(writer, message.subarray(at, end), end === message.length)
    frames.push(writer.take())
    at = end
  }

  return frames
}

function ackOf(bytes: number): Uint8Array {
  const writer = new ByteWriter()
  writeAck(writer, bytes)
  return writer.take()
}

function readerOf(bytes: Uint8Array, onAck?: (bytes: number) => void): FrameReader {
  const reader = new FrameReader(onAck ? { onAck } : {})
  reader.push(Uint8Array.from(bytes))
  return reader
}

function rest(reader: FrameReader, left?: 'bulk' | 'all'): Uint8Array[] {
  const messages: Uint8Array[] = []

  for (let next = reader.next(left); next !== undefined; next = reader.next(left)) {
    messages.push(next)
  }

  return messages
}

describe('a message in parts', () => {
  it('comes whole, wherever it was cut, and others pass it (N12)', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 })
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 })

    fc.assert(
      fc.property(bytes, sizes, fc.array(bytes, { maxLength: 5 }), (bulk, sizes, others) => {
        const frames = parts(bulk, sizes)
        const between = others.map(frameOf)
        const stream = frames.flatMap((frame, i) => [...between.slice(i, i + 1), frame])
        stream.push(...between.slice(frames.length))
        const reader = readerOf(Buffer.concat(stream))
        const messages = rest(reader)

        expect(reader.takeUnacked()).toBe(bulk.length)
        expect(reader.takeUnacked()).toBe(0)
        expect(messages).toHaveLength(others.length + 1)
        expect(messages).toEqual(expect.arrayContaining([bulk]))
        expect(messages.filter((_, i) => i !== Math.min(frames.length, others.length))).toEqual(
          others
        )
      }),
      law()
    )
  })

  it('can be left for later, while others and acks are read (N12)', () => {
    const acks: number[] = []
    const [bulk, other] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]
    const bytes = Buffer.concat([...parts(bulk, [2]), ackOf(5), frameOf(other), ackOf(6)])
    const reader = readerOf(bytes, (count) => acks.push(count))

    expect(rest(reader, 'all')).toEqual([])
    expect(acks).toEqual([5, 6])
    expect(reader.length).toBe(4)
    expect(rest(reader, 'bulk')).toEqual([other])
    expect(rest(reader)).toEqual([bulk])
    expect(reader.length).toBe(0)
  })

  it.each([
    ['an empty part', headOf(PART)],
    ['an empty end', headOf(END)],
    ['an ack of nothing', headOf(ACK)],
    ['a part that is too large', headOf(PART + MAX_PART_BYTES + 1)],
    ['an ack though nothing was sent in parts', headOf(ACK + 1)]
  ])('breaks the protocol by %s (N9b)', (_, bytes) => {
    expect(() => readerOf(bytes).next()).toThrow(ProtocolViolationError)
  })

  it('is no larger than another message may be (N13l)', () => {
    const message = new Uint8Array(MAX_MESSAGE_BYTES + 1)
    const reader = readerOf(Buffer.concat(parts(message, [MAX_PART_BYTES])))

    expect(() => reader.next()).toThrow(MessageTooLargeError)
  })
})

describe('BulkLane', () => {
  it('lets go of no more than the window, and of the rest as that is received (N12)', () => {
    const lane = new BulkLane()
    const messages = [300_000, 50_000].map((length) => new Uint8Array(length).fill(length))
    const reader = new FrameReader()

    for (const message of messages) {
      lane.push(message)
    }

    let mostInFlight = 0

    for (let nowMs = 0; lane.queuedBytes > 0 || lane.inFlight > 0; nowMs += 100) {
      const writer = new ByteWriter()

      while (lane.isReady) {
        lane.write(writer, nowMs)
      }

      mostInFlight = Math.max(mostInFlight, lane.inFlight - lane.windowBytes)
      reader.push(writer.take())
      expect(lane.receive(lane.inFlight, nowMs + 100)).toBe(true)
    }

    expect(mostInFlight).toBeLessThanOrEqual(0)
    expect(rest(reader)).toEqual(messages)
    expect(reader.takeUnacked()).toBe(350_000)
  })

  it('takes no ack for more than is in flight (N9b)', () => {
    const lane = new BulkLane()
    lane.push(new Uint8Array(10))
    expect(lane.receive(1, 0)).toBe(false)
    lane.write(new ByteWriter(), 0)
    expect(lane.receive(11, 1)).toBe(false)
    expect(lane.receive(10, 1)).toBe(true)
  })
})
