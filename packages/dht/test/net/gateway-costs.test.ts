import { randomBytes } from 'node:crypto'
import type { Libp2p } from '@libp2p/interface'
import type { DHT } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { encodeRecord, getDHTTime, plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SEARCH_WIDTH } from '../../src/constants.ts'
import {
  GATEWAY,
  GATEWAY_PROTOCOL,
  type GatewayMessage,
  type GatewayWrite
} from '../../src/gateway/gateway-messages.ts'
import { Talker } from '../support/exchange-talker.ts'
import { basicServices, libp2pNode, UNHURRIED } from '../support/libp2p-node.ts'

const NODES = 12
const NUM_REPLICAS = 3
const KEYS = 64

/** Bytes of a value, of what a reply holds besides, and of its closer peers. */
const VALUE_BYTES = 4096
const REPLY_BYTES = 2048

/** Requests that other servers get for one key: those of one lookup, and a repair for each replica. */
const MAX_REQUESTS = SEARCH_WIDTH + NUM_REPLICAS

/** The work of the other servers so far. */
interface Done {
  readonly keys: number
  readonly bytes: number
}

function freshKeys(): Uint8Array[] {
  return Array.from({ length: KEYS }, () => recordKey(randomBytes(12)))
}

function value(ttl: number): Uint8Array {
  return encodeRecord(plainRecord(new Uint8Array(VALUE_BYTES), getDHTTime() + ttl))
}

function read(keys: readonly Uint8Array[], isLatest = true): GatewayMessage {
  return { name: 'read', id: 1, isLatest, keys: keys.map((key) => ({ key })) }
}

function write(keys: readonly Uint8Array[], record: Uint8Array): GatewayMessage {
  return { name: 'write', id: 1, writes: keys.map((key): GatewayWrite => ({ key, record })) }
}

describe('what one client makes a gateway ask of other servers', () => {
  const held = freshKeys()
  let net: Testnet
  let client: Libp2p & AsyncDisposable
  let gateway: DHT

  beforeAll(async () => {
    net = await testnet(NODES, { ...UNHURRIED, numReplicas: NUM_REPLICAS })
    gateway = net.nodes[0] as DHT
    client = await libp2pNode(basicServices())
    await asked(write(held, value(600)))
  })

  afterAll(async () => {
    await client?.[Symbol.asyncDispose]()
    await net?.stop()
  })

  function done(): Done {
    const served = net.nodes.slice(1).map((node) => node.stats().served)
    return {
      keys: served.reduce((sum, { keys }) => sum + keys.find + keys.store, 0),
      bytes: served.reduce((sum, { bytes }) => sum + bytes, 0)
    }
  }

  async function talker(): Promise<Talker<GatewayMessage>> {
    const stream = await client.dialProtocol(gateway.multiaddrs, GATEWAY_PROTOCOL)
    return new Talker<GatewayMessage>(stream, GATEWAY)
  }

  /** Sends requests one after the other. Returns the number of keys that were answered. */
  async function asked(...requests: readonly GatewayMessage[]): Promise<number> {
    const one = await talker()
    let answered = 0

    for (const request of requests) {
      one.say(request)
      const reply = await one.hearAny()
      answered += 'answers' in reply ? reply.answers.length : 0
    }

    one.stream.abort(new Error('enough'))
    return answered
  }

  it.each<[string, () => GatewayMessage[]]>([
    ['keys that nobody has', () => [read(freshKeys())]],
    ['keys that their replicas hold', () => [read(held), read(held, false)]],
    [
      'the same key again and again',
      () => Array.from({ length: 16 }, () => read([held[0] as Uint8Array]))
    ],
    [
      'one key many times in a message',
      () => [read(Array.from({ length: KEYS }, () => held[0] as Uint8Array))]
    ],
    ['writes', () => [write(freshKeys(), value(600))]],
    ['writes that are beaten', () => [write(held, value(60))]],
    [
      'writes to one key',
      () => [
        write(
          Array.from({ length: KEYS }, () => held[1] as Uint8Array),
          encodeRecord(subkeyRecord('subkey', 1, getDHTTime() + 700))
        )
      ]
    ]
  ])('is bounded for each key that it is answered: %s (N14)', async (_, requests) => {
    const before = done()
    const answered = await asked(...requests())
    const { keys, bytes } = done()

    expect(answered).toBeGreaterThan(0)
    expect(keys - before.keys).toBeLessThanOrEqual(MAX_REQUESTS * answered)
    expect(bytes - before.bytes).toBeLessThanOrEqual(
      answered * (NUM_REPLICAS * VALUE_BYTES + MAX_REQUESTS * REPLY_BYTES)
    )
  })

  it('ends with its streams, however many it opens (N14)', async () => {
    const begun = gateway.stats().served.keys.gateway
    const before = done()
    const rounds = 16

    for (let i = 0; i < rounds; i++) {
      const one = await talker()
      one.say(read(freshKeys()))
      one.stream.abort(new Error('enough'))
    }

    // This request comes after all others of the same peer.
    const answered = await asked(read(held.slice(0, 1)))
    const keys = gateway.stats().served.keys.gateway - begun
    expect(answered).toBe(1)
    expect(keys).toBeLessThan((rounds * KEYS) / 2)
    expect(done().keys - before.keys).toBeLessThanOrEqual(MAX_REQUESTS * keys)
  })
})
