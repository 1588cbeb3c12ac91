import { connect } from 'node:net'
import type { MessageStream } from '@libp2p/interface'
import { DHT } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_NEGOTIATION_ANSWERS } from '../../src/node/negotiation-limit.ts'
import { rawConnection, yamuxFrame } from '../support/raw-frames.ts'

const MULTISTREAM = Buffer.from('\x13/multistream/1.0.0\n')
const [DATA, SYN] = [0, 1]

/** The shortest possible offers, of nothing. */
const OFFERS = Buffer.concat([MULTISTREAM, ...new Array(10_000).fill(Uint8Array.of(1, 10))])
const REFUSAL = Buffer.from('\x03na\n')

describe('a peer that offers protocols without end', () => {
  let dht: DHT

  beforeEach(async () => {
    dht = await DHT.create()
  })

  afterEach(() => dht?.stop())

  it('is answered a few times before it is identified (N13a)', async () => {
    const [address] = dht.multiaddrs
    const port = Number(address?.getComponents().find(({ name }) => name === 'tcp')?.value)
    const socket = connect(port, '127.0.0.1')
    const pieces: Buffer[] = []
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.on('error', () => {}).on('data', (piece: Buffer) => pieces.push(piece))
    socket.write(OFFERS)
    await ended
    expect(refusalsIn(pieces)).toBeLessThanOrEqual(MAX_NEGOTIATION_ANSWERS)
  })

  it('is answered a few times on each of its streams (N13a)', async () => {
    await using raw = await rawConnection(dht.multiaddrs)
    const pieces: Uint8Array[] = []
    const reset = untilReset(raw.wire, pieces)
    raw.wire.send(
      yamuxFrame({ type: DATA, flags: SYN, stream: 1, length: OFFERS.length, body: OFFERS })
    )
    await reset
    expect(refusalsIn(pieces)).toBeGreaterThan(0)
    expect(refusalsIn(pieces)).toBeLessThanOrEqual(MAX_NEGOTIATION_ANSWERS)
  })
})

function refusalsIn(pieces: readonly Uint8Array[]): number {
  return Buffer.concat(pieces).toString('latin1').split(REFUSAL.toString('latin1')).length - 1
}

/** Reads until the first stream is reset. */
function untilReset(wire: MessageStream, pieces: Uint8Array[]): Promise<void> {
  const reset = Buffer.from([0, 1, 0, 8, 0, 0, 0, 1])
  const { promise, resolve } = Promise.withResolvers<void>()
  wire.addEventListener('message', ({ data }) => {
    pieces.push(data.subarray())

    if (Buffer.concat(pieces).includes(reset)) {
      resolve()
    }
  })
  return promise
}
