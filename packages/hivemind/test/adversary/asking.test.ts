import type { Stream } from '@libp2p/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { HivemindDHT } from '../../src/index.ts'
import { randomId } from '../../src/keys/dht-id.ts'
import { FIND, PROCEDURES, STORE } from '../../src/rpc/procedures.ts'
import { decodeCall, FrameCollector, replyFrame } from '../../src/wire/envelope.ts'
import {
  decodeFindRequest,
  encodeFindResponse,
  encodeStoreResponse
} from '../../src/wire/messages.ts'

const started: HivemindDHT[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map((dht) => dht.stop()))
})

async function start(initialPeers: HivemindDHT['multiaddrs'] = []): Promise<HivemindDHT> {
  const dht = await HivemindDHT.create({ initialPeers, requestTimeoutMs: 1000, cache: false })
  started.push(dht)
  return dht
}

type Answer = (procedure: string, data: Uint8Array, nodeId: Uint8Array) => Uint8Array | undefined

/** Lets a node answer wrongly, or, if undefined, not at all. */
async function corrupt(dht: HivemindDHT, answer: Answer, { isFramed = true } = {}): Promise<void> {
  const serve = (stream: Stream): void => {
    const collector = new FrameCollector()
    stream.addEventListener('message', ({ data }) => {
      const message = collector.push(data.subarray())
      const call = message && decodeCall(message)
      const reply = call && answer(call.procedure, call.data, dht.nodeId)

      if (call !== undefined && reply !== undefined) {
        stream.send(isFramed ? replyFrame({ callId: call.callId, data: reply }) : reply)
      }
    })
  }

  for (const procedure of PROCEDURES) {
    await dht.libp2p.unhandle(procedure)
    await dht.libp2p.handle(procedure, serve)
  }
}

/** Claims to hold everything, with invalid bytes and expirations. */
function poisoned(expirationTime: number, value: Uint8Array): Answer {
  return (procedure, data, sender) => {
    if (procedure === STORE) {
      return encodeStoreResponse({ sender, stored: [true] })
    }

    const results = decodeFindRequest(data).keys.map(() => ({
      found: { isDictionary: false, value, expirationTime },
      nearest: []
    }))
    return procedure === FIND ? encodeFindResponse({ sender, results }) : new Uint8Array()
  }
}

/** Names nodes that do not exist. */
const inventing: Answer = (procedure, data, sender) => {
  if (procedure !== FIND) {
    return new Uint8Array()
  }

  const nearest = Array.from({ length: 1000 }, () => ({
    nodeId: randomId(),
    peerId: Uint8Array.of(0x12, 0x20, ...randomId(), ...randomId().subarray(0, 12))
  }))
  const results = decodeFindRequest(data).keys.map(() => ({ found: undefined, nearest }))
  return encodeFindResponse({ sender, results })
}

const soon = (): number => Date.now() / 1000 + 60

describe('a node that asks a liar', () => {
  it.each<[string, Answer, { isFramed?: boolean }?]>([
    ['which never answers', () => undefined],
    ['which answers with nothing', () => new Uint8Array()],
    ['which answers with junk', () => Uint8Array.of(0xff, 0xff, 0xff)],
    ['which sends no frames', () => new Uint8Array(64).fill(0xff), { isFramed: false }],
    ['which holds what makes Python hang', poisoned(soon(), Uint8Array.of(1, 2, 3))],
    ['which holds what never expires', poisoned(Number.POSITIVE_INFINITY, Uint8Array.of(1))],
    ['which holds what has no time', poisoned(Number.NaN, Uint8Array.of(1))],
    ['which names a thousand nodes that are not there', inventing]
  ])('%s, still finds what an honest node holds', async (_, answer, options) => {
    const honest = await start()
    const reader = await start(honest.multiaddrs)
    const liar = await start(honest.multiaddrs)
    expect(await honest.store('key', 'truth', { ttl: 120 })).toBe(true)
    await corrupt(liar, answer, options)

    expect((await reader.get('key', { latest: true }))?.value).toBe('truth')
    expect(await reader.store('other', 1, { ttl: 60 })).toBe(true)
    expect((await honest.get('other'))?.value).toBe(1)
  })
})
