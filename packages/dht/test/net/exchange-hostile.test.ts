import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { encodeRecord, getDHTTime, recordKey } from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { FindRequest } from '../../src/exchange/messages.ts'
import { MAX_PLAUSIBLE_MESSAGE_BYTES, MAX_STREAMS_PER_PEER } from '../../src/wire/limits.ts'
import { encodedPeer } from '../support/encoded-peers.ts'
import { exchangeStreams, type Impostor, impostor, strangerTo } from '../support/exchange-net.ts'
import { encodedWrite } from '../support/exchange-serving.ts'
import { encoded, frameOf, headOf, type Talker } from '../support/exchange-talker.ts'
import { findKey, held, nothing, recordIn } from '../support/find-answers.ts'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { infiltrate } from '../support/odd-peers.ts'
import { owner } from '../support/owners.ts'
import { keyWhere } from '../support/replica.ts'

const MIB = 2 ** 20
const somebody = await owner(1)

function find(key: string, id = 1): FindRequest {
  const keys = [findKey(recordKey(key))]
  return { name: 'find', id, closerCount: 0, isCloserAlways: false, maxAge: 0, keys }
}

async function expectServed(talker: Talker, key: string): Promise<void> {
  talker.say(find(key, 99))
  const { id, answers } = await talker.hear('found')

  expect(id).toBe(99)
  expect(recordIn(answers[0])).toBeDefined()
}

describe('a peer that asks for much and reads nothing', () => {
  it('makes the server hold little, while others are served (N8b, N9e)', {
    timeout: 120_000
  }, async () => {
    await using net = await testnet(2)
    const [server, other] = net.nodes as [DHT, DHT]
    const large = new Uint8Array(200 * 1024)
    expect(await server.store('large', large, { ttl: 600 })).toBe(true)
    await using stranger = await strangerTo(server)
    const talker = await stranger.talk()
    talker.stream.pause()

    const before = process.memoryUsage()
    const question = frameOf(encoded(find('large')))
    talker.sayBytes(Buffer.concat(new Array(20_000).fill(question)))
    const streams = (): Talker['stream'][] => exchangeStreams(server, stranger.node.peerId)
    await vi.waitUntil(() => streams().length > 0, PATIENCE)

    for (let i = 0; i < 200; i++) {
      expect(await other.store(['other', i], i, { ttl: 600 })).toBe(true)
      const found = await other.get('large', { latest: true })
      expect(found?.value).toHaveLength(large.length)
    }

    const after = process.memoryUsage()
    const [stream] = streams()
    expect(stream?.status).toBe('open')
    expect(stream?.writeBufferLength).toBeLessThan(MIB)
    expect(stream?.readBufferLength).toBeLessThan(2 * MIB)
    // The answers would be 4,000 MiB.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(200 * MIB)

    talker.stream.resume()
    for (let i = 0; i < 100; i++) {
      expect((await talker.hear('found')).answers).toHaveLength(1)
    }
  })

  it('has so many streams, and no more (N9d)', async () => {
    await using net = await testnet(1)
    const [server] = net.nodes as [DHT]
    await server.store('key', 1, { ttl: 600 })
    await using stranger = await strangerTo(server)
    const talkers: Talker[] = []

    for (let i = 0; i < MAX_STREAMS_PER_PEER; i++) {
      const talker = await stranger.talk()
      await expectServed(talker, 'key')
      talkers.push(talker)
    }

    const tooMany = await stranger.talk()
    await vi.waitUntil(() => tooMany.stream.status === 'reset', PATIENCE)

    for (const talker of talkers) {
      await expectServed(talker, 'key')
    }

    talkers[0]?.stream.abort(new Error('room for another'))
    await vi.waitUntil(
      () => exchangeStreams(server, stranger.node.peerId).length < MAX_STREAMS_PER_PEER,
      PATIENCE
    )
    await expectServed(await stranger.talk(), 'key')
  })
})

/** Sends entries in another peer's place, with random signatures. */
function forge(talker: Talker): void {
  const plain = { expirationTime: getDHTTime() + 60, value: Uint8Array.of(1) }
  const signature = crypto.getRandomValues(new Uint8Array(64))
  const record = encodeRecord({ plain: { ...plain, signature }, subkeys: new Map() })
  const writes = Array.from({ length: 9 }, (_, i) =>
    encodedWrite(recordKey(`${i} ${somebody.tag}`), record)
  )
  talker.say({ name: 'store', id: 1, closerCount: 0, isCacheOnly: false, writes })
}

describe('a peer that', () => {
  it.each<[string, (talker: Talker) => unknown]>([
    ['says what is no message', (talker) => talker.sayBytes(frameOf(Uint8Array.of(7, 7, 7)))],
    [
      'answers instead of asking',
      (talker) => talker.say({ name: 'stored', id: 1, peers: [], answers: [] })
    ],
    [
      'announces an oversized message',
      (talker) => talker.sayBytes(headOf(MAX_PLAUSIBLE_MESSAGE_BYTES + 1))
    ],
    ['sends an empty message', (talker) => talker.sayBytes(headOf(0))],
    ['forges signatures again and again', forge],
    ['says random bytes', (talker) => talker.sayBytes(crypto.getRandomValues(new Uint8Array(5000)))]
  ])(
    '%s is disconnected, and not let in again for a while; others are served (N9c, N13i)',
    async (_, offend) => {
      await using net = await testnet(1)
      const [server] = net.nodes as [DHT]
      await server.store('key', 1, { ttl: 600 })
      await using good = await strangerTo(server)
      await using stranger = await strangerTo(server)
      const talker = await good.talk()
      await expectServed(talker, 'key')
      await offend(await stranger.talk())

      const connections = () => server.libp2p.getConnections(stranger.node.peerId)
      await vi.waitUntil(() => connections().length === 0, PATIENCE)
      await stranger.node.dial(server.libp2p.getMultiaddrs()).catch(() => {})
      await vi.waitUntil(() => connections().length === 0, PATIENCE)
      await expect(stranger.talk().then((again) => expectServed(again, 'key'))).rejects.toThrow()
      await expectServed(talker, 'key')
    }
  )
})

describe('a stream on which a peer', () => {
  let net: Testnet

  beforeAll(async () => {
    net = await testnet(1)
    await net.nodes[0]?.store('key', 1, { ttl: 600 })
  })

  afterAll(() => net?.stop())

  const halfAQuestion = frameOf(encoded(find('key'))).subarray(0, 10)

  it.each<[string, (talker: Talker) => unknown]>([
    ['says nothing, and closes it at once', ({ stream }) => stream.close()],
    ['says nothing, and resets it at once', ({ stream }) => stream.abort(new Error('nothing'))],
    [
      'resets in the middle of a message',
      (talker) => {
        talker.sayBytes(halfAQuestion)
        talker.stream.abort(new Error('enough'))
      }
    ],
    [
      'closes in the middle of a message',
      (talker) => {
        talker.sayBytes(halfAQuestion)
        return talker.stream.close()
      }
    ]
  ])('%s, ends; others of the same connection do not (N9c)', async (_, offend) => {
    const [server] = net.nodes as [DHT]
    await using stranger = await strangerTo(server)
    const good = await stranger.talk()
    await expectServed(good, 'key')
    const bad = await stranger.talk()
    await offend(bad)
    await bad.ended

    await vi.waitUntil(() => exchangeStreams(server, stranger.node.peerId).length === 1, PATIENCE)
    await expectServed(good, 'key')
    await expectServed(await stranger.talk(), 'key')
    expect(server.libp2p.getConnections(stranger.node.peerId)).toHaveLength(1)
  })
})

describe('a replica that', () => {
  const requestTimeoutMs = 4000

  interface Scene extends AsyncDisposable {
    readonly bad: Impostor
    readonly writer: DHT

    /** A key to which the bad peer is the nearest. */
    readonly key: string
  }

  async function scene(): Promise<Scene> {
    const net = await testnet(6, { requestTimeoutMs })
    const bad = await impostor()
    const peers = [bad.node, ...net.nodes]
    await infiltrate(
      bad.node,
      net.nodes.map(({ libp2p }) => libp2p)
    )

    return {
      bad,
      writer: net.nodes[0] as DHT,
      key: keyWhere<{ peerId: DHT['peerId'] }>(peers, ([nearest]) => nearest === bad.node),
      async [Symbol.asyncDispose]() {
        await Promise.all([net.stop(), bad[Symbol.asyncDispose]()])
      }
    }
  }

  it('stops answering in the middle of a message costs one request timeout (N8b)', async () => {
    await using all = await scene()
    const { bad, writer, key } = all
    const startMs = performance.now()
    const stored = writer.store(key, 'stored', { ttl: 600 })
    const talker = await bad.talkers.next()
    const { id } = await talker.hear('store')
    const answer = frameOf(
      encoded({ name: 'stored', id, peers: [], answers: [{ outcome: 'accepted', closer: [] }] })
    )
    talker.sayBytes(answer.subarray(0, -1))

    expect(await stored).toBe(true)
    const tookMs = performance.now() - startMs
    expect(tookMs).toBeLessThan(2 * requestTimeoutMs)

    // It is avoided, so that the next call does not wait for it.
    const nextMs = performance.now()
    expect(await writer.store(key, 'again', { ttl: 700 })).toBe(true)
    expect(performance.now() - nextMs).toBeLessThan(requestTimeoutMs)

    // The last byte comes late, and does no harm.
    talker.sayBytes(answer.subarray(-1))
    expect(await writer.get(key, { latest: true })).toMatchObject({ value: 'again' })
  })

  it.each<[string, (talker: Talker, id: number) => unknown]>([
    ['answers with what is no message', (talker) => talker.sayBytes(frameOf(Uint8Array.of(9)))],
    ['answers with an oversized message', (talker) => talker.sayBytes(headOf(2 ** 32 - 1))],
    [
      'answers another request',
      (talker, id) => talker.say({ name: 'stored', id: id + 1, peers: [], answers: [] })
    ],
    [
      'answers with too few outcomes',
      (talker, id) => talker.say({ name: 'stored', id, peers: [], answers: [] })
    ],
    [
      "takes a good write for an 'invalid' one",
      (talker, id) =>
        talker.say({
          name: 'stored',
          id,
          peers: [],
          answers: [{ outcome: 'invalid', closer: [] }]
        })
    ],
    [
      'resets each stream in the middle of a message',
      (talker) => {
        talker.sayBytes(headOf(100))
        talker.stream.abort(new Error('enough'))
      }
    ],
    ['closes each stream', (talker) => talker.stream.close()]
  ])('%s is replaced at once (N6, N8b, N8d, N9c)', async (_, offend) => {
    await using all = await scene()
    const { bad, writer, key } = all
    const startMs = performance.now()
    const stored = writer.store(key, 'stored', { ttl: 600 })
    // The writer repeats unanswered requests on another stream.
    void (async () => {
      for (;;) {
        const talker = await bad.talkers.next()
        const { id } = await talker.hearAny()
        await offend(talker, id)
      }
    })().catch(() => {})

    expect(await stored).toBe(true)
    expect(performance.now() - startMs).toBeLessThan(requestTimeoutMs)
    expect(await writer.get(key, { latest: true })).toMatchObject({ value: 'stored' })
  })

  it('names peers that are none does not lead the search astray (N4, N9h)', async () => {
    await using all = await scene()
    const { bad, writer, key } = all
    const stored = writer.store(key, 'stored', { ttl: 600 })
    const talker = await bad.talkers.next()
    const { id } = await talker.hear('store')
    const nobody = { id: Uint8Array.of(1, 2, 3), addresses: [Uint8Array.of(4)] }
    const peers = new Array(20).fill(nobody)
    const closer = peers.map((_, place) => place)
    talker.say({ name: 'stored', id, peers, answers: [{ outcome: 'accepted', closer }] })

    expect(await stored).toBe(true)
  })

  it('names a peer at a wrong address hides nothing from a node that hears the right one (N4, N9h)', async () => {
    await using holder = await DHT.create(UNHURRIED)
    await using client = await DHT.create({ ...UNHURRIED, cache: false })
    await using liar = await impostor()
    await using honest = await impostor()
    await infiltrate(liar.node, [client.libp2p])
    await infiltrate(honest.node, [client.libp2p])
    await holder.store('key', 'stored', { ttl: 600 })
    const name = async ({ talkers }: Impostor, address: Multiaddr | undefined): Promise<void> => {
      const talker = await talkers.next()
      const { id } = await talker.hear('find')
      const addresses = address === undefined ? [] : [address.bytes]
      const peers = [encodedPeer({ id: holder.peerId.toMultihash().bytes, addresses })]
      talker.say({ name: 'found', id, peers, answers: [nothing([0])] })
    }
    const found = client.get('key', { latest: true })
    await name(liar, multiaddr('/ip4/127.0.0.1/tcp/9'))
    await name(honest, holder.multiaddrs[0])

    expect(await found).toMatchObject({ value: 'stored' })
  })

  it('lies with a record that breaks a rule is not believed (N5, N9a)', async () => {
    await using all = await scene()
    const { bad, writer, key } = all
    const found = writer.get(key, { latest: true })
    const talker = await bad.talkers.next()
    const { id } = await talker.hear('find')
    const record = Uint8Array.of(1, 2, 3)
    talker.say({ name: 'found', id, peers: [], answers: [held(record)] })

    expect(await found).toBeUndefined()
  })
})
