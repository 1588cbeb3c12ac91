import type { Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import {
  limitNegotiation,
  limitStreamNegotiation,
  MAX_NEGOTIATION_ANSWERS
} from '../../src/node/negotiation-limit.ts'

const NO = Uint8Array.from(Buffer.from('\x03na\n'))
const LONG_LINE = Uint8Array.from([0xac, 0x02, ...new Array(299).fill(97), 10])
const NOISE = Uint8Array.from([0, 3, 1, 2, 10])

/** Makes a connection or stream that accepts everything. */
function taking() {
  const taken: Uint8Array[] = []
  const send = (bytes: Uint8Array): boolean => taken.push(bytes) > 0
  return { taken, send, protocol: '' }
}

/** Sends until a refusal, or a number of times. */
function sendAll(stream: { send(bytes: Uint8Array): boolean }, bytes: Uint8Array, times = 1000) {
  try {
    for (let i = 0; i < times; i++) {
      stream.send(bytes)
    }
  } catch {
    // The negotiation is over.
  }
}

describe('the offers of a peer', () => {
  it.each([NO, LONG_LINE])('are answered so often on one connection (N13a)', (answer) => {
    const connection = taking()
    sendAll(limitNegotiation(connection), answer)
    expect(connection.taken).toHaveLength(MAX_NEGOTIATION_ANSWERS)
  })

  it('are over with the first thing that is no answer: all else is sent (N13a)', () => {
    const connection = taking()
    sendAll(limitNegotiation(connection), NO, 3)
    sendAll(connection, NOISE)
    sendAll(connection, NO)
    expect(connection.taken).toHaveLength(3 + 2000)
  })

  it('are over on a stream when its protocol is known (N13a)', () => {
    const stream = taking()
    limitStreamNegotiation(stream as unknown as Stream)
    sendAll(stream, NOISE)
    expect(stream.taken).toHaveLength(MAX_NEGOTIATION_ANSWERS)
    stream.protocol = '/ipfs/ping/1.0.0'
    sendAll(stream, NO)
    expect(stream.taken).toHaveLength(MAX_NEGOTIATION_ANSWERS + 1000)
  })
})
