import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import {
  type DHTRecord,
  encodeRecord,
  getDHTTime,
  plainRecord,
  recordKey,
  subkeyRecord,
  type Value
} from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXCHANGE, EXCHANGE_PROTOCOL, type Message } from '../../src/exchange/messages.ts'
import {
  COMPARE,
  COMPARE_PROTOCOL,
  type CompareMessage
} from '../../src/upkeep/compare-messages.ts'
import { WATCH, WATCH_PROTOCOL, type WatchMessage } from '../../src/watch/watch-messages.ts'
import { MAX_KEYS_PER_MESSAGE, MAX_SUBKEYS_PER_KEY } from '../../src/wire/limits.ts'
import type { MessageCodec } from '../../src/wire/schema.ts'
import { encodedWrite } from '../support/exchange-serving.ts'
import { Talker } from '../support/exchange-talker.ts'
import { basicServices, type DisposableNode, libp2pNode } from '../support/libp2p-node.ts'
import { PeerProcess } from '../support/peer-process.ts'

/** No turn of the event loop may take longer because of what one peer sends, in ms. */
const MAX_TURN_MS = 50

const TTL = 600
const FULL = 4096
const KEY = recordKey('full')
const LARGE_KEY = recordKey('large')
const NO_DIGEST = new Uint8Array(0)

function dictionary(size: number, makeValue: () => Value, ttl = TTL): DHTRecord {
  const expirationTime = getDHTTime() + ttl
  const records = Array.from({ length: size }, (_, i) =>
    subkeyRecord(i, makeValue(), expirationTime)
  )
  return { subkeys: new Map(records.flatMap(({ subkeys }) => [...subkeys])) }
}

function many<T>(make: (i: number) => T, count = MAX_KEYS_PER_MESSAGE): T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}

function store(...writes: readonly (readonly [Uint8Array, DHTRecord])[]): Message {
  const encoded = new Map<DHTRecord, Uint8Array>()
  const bytesOf = (record: DHTRecord): Uint8Array => {
    const bytes = encoded.get(record) ?? encodeRecord(record)
    encoded.set(record, bytes)
    return bytes
  }
  return {
    ...{ name: 'store', id: 1, closerCount: 20, isCacheOnly: false },
    writes: writes.map(([key, record]) => encodedWrite(key, bytesOf(record)))
  }
}

/** As many values as fit into a value, each of few bytes. */
function listOf(value: Value, bytes: number): DHTRecord {
  return plainRecord(new Array(Math.floor(250_000 / bytes)).fill(value), getDHTTime() + TTL)
}

/** Small requests whose answers, or effects, are large. */
const REQUESTS: Readonly<Record<string, () => Message[]>> = {
  'writes that are beaten by as much as a record holds': () => {
    const beaten = dictionary(4, () => 0, TTL / 2)
    return [store(...many(() => [LARGE_KEY, beaten] as const))]
  },
  'as many entries as a record holds': () => [
    store([recordKey('entries'), dictionary(FULL, () => 1)])
  ],
  'one entry after the other for a full dictionary': () => {
    const subkeys = many((i) => subkeyRecord(i, 2, getDHTTime() + TTL + 1))
    return [store(...subkeys.map((record) => [KEY, record] as const))]
  },
  'whole dictionaries for a full one': () => {
    const full = dictionary(FULL, () => randomBytes(100), TTL + 2)
    return [store(...many(() => [KEY, full] as const, 8))]
  },
  'searches for all subkeys of a full dictionary': () => {
    const subkeys = [...dictionary(MAX_SUBKEYS_PER_KEY, () => 0).subkeys.keys()].toSorted()
    return [
      {
        ...{ name: 'find', id: 1, closerCount: 20, isCloserAlways: true, maxAge: 0 },
        keys: many(() => ({ key: KEY, subkeys, digest: NO_DIGEST }))
      }
    ]
  },
  'searches for what is known, and large': () => [
    {
      ...{ name: 'find', id: 1, closerCount: 20, isCloserAlways: true, maxAge: 60 },
      keys: many(() => ({ key: LARGE_KEY, subkeys: [], digest: randomBytes(16) }))
    }
  ],
  'a list of empty lists': () => [store([recordKey('lists'), listOf([], 1)])],
  'a list of empty objects': () => [store([recordKey('objects'), listOf({}, 1)])],
  'a list of short texts': () => [store([recordKey('texts'), listOf('é', 3)])],
  'an object of many names': () => {
    const names = many((i) => [`${i}`, 0] as const, 30_000)
    return [store([recordKey('names'), plainRecord(Object.fromEntries(names), getDHTTime() + TTL)])]
  }
}

describe('a peer that is asked for little with much behind it', () => {
  let victim: PeerProcess
  let node: DisposableNode

  beforeAll(async () => {
    victim = await PeerProcess.start()
    node = await libp2pNode(basicServices())
    await asked(EXCHANGE_PROTOCOL, EXCHANGE, [
      store([KEY, dictionary(FULL, () => randomBytes(100))]),
      store([LARGE_KEY, dictionary(4, () => new Uint8Array(250 * 1024))])
    ])
  })

  afterAll(async () => {
    await node?.[Symbol.asyncDispose]()
    await victim?.[Symbol.asyncDispose]()
  })

  /** Sends requests one after the other, and waits for the answers. */
  async function asked<M extends { name: string }>(
    protocol: string,
    codec: MessageCodec<M>,
    requests: readonly M[]
  ): Promise<string[]> {
    const stream: Stream = await node.dialProtocol(
      victim.multiaddrs.map((address) => multiaddr(address)),
      protocol
    )
    const talker = new Talker<M>(stream, codec)
    const replies: string[] = []

    for (const request of requests) {
      talker.say(request)
      replies.push((await talker.hearAny()).name)
    }

    stream.abort(new Error('enough'))
    return replies
  }

  async function expectShortTurns(asking: () => Promise<string[]>): Promise<void> {
    await victim.longestTurnMs()
    expect(await asking()).not.toContain('busy')
    expect(await victim.longestTurnMs()).toBeLessThan(MAX_TURN_MS)
  }

  it.each(Object.keys(REQUESTS))('takes its time in turns: %s (N13a)', async (kind) => {
    const requests = REQUESTS[kind]?.() ?? []
    await expectShortTurns(() => asked(EXCHANGE_PROTOCOL, EXCHANGE, requests))
  })

  it('takes its time in turns: comparisons of full dictionaries (N13a)', async () => {
    const request: CompareMessage = { name: 'compare', keys: many(() => KEY) }
    await expectShortTurns(() => asked(COMPARE_PROTOCOL, COMPARE, [request]))
  })

  it('takes its time in turns: watches of large keys that change (N13a)', async () => {
    const request: WatchMessage = {
      ...{ name: 'watch', closerCount: 20, role: 'prompt' },
      keys: many((i) => ({ key: i % 2 === 0 ? KEY : LARGE_KEY, digest: randomBytes(16) }))
    }
    await expectShortTurns(() => asked(WATCH_PROTOCOL, WATCH, [request]))
  })
})
