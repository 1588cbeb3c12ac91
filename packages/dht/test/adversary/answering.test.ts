import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromMultihash, peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { DHT } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { encodeRecord, getDHTTime, plainRecord } from '@waggle/record'
import { create as multihash } from 'multiformats/hashes/digest'
import { describe, expect, it, vi } from 'vitest'
import type { Message } from '../../src/exchange/messages.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import type { EncodedPeer } from '../../src/wire/fields.ts'
import { encodePeer } from '../../src/wire/peer-codec.ts'
import { type Impostor, impostor } from '../support/exchange-net.ts'
import type { Talker } from '../support/exchange-talker.ts'
import { held, nothing } from '../support/find-answers.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { infiltrate } from '../support/odd-peers.ts'
import { nearestFirst } from '../support/replica.ts'

const TTL = 600
const SHA_256 = 0x12
const ADDRESSES_EACH = 16

interface Scene extends AsyncDisposable {
  readonly bad: readonly Impostor[]
  readonly nodes: readonly DHT[]

  /** A key to which the bad peers are nearer than any other. */
  readonly key: string
}

const KEY = 'a key'

async function scene(honest: number, bad: number): Promise<Scene> {
  const net = await testnet(honest, { requestTimeoutMs: 1500 })
  const nodes = net.nodes.map(({ libp2p }) => libp2p)
  const impostors: Impostor[] = []

  for (let i = 0; i < bad; i++) {
    const one = await impostor(await identityNearerThan(net.nodes))
    impostors.push(one)
    await infiltrate(one.node, nodes)
  }

  return {
    bad: impostors,
    nodes: net.nodes,
    key: KEY,
    async [Symbol.asyncDispose]() {
      await Promise.all([net.stop(), ...impostors.map((one) => one[Symbol.asyncDispose]())])
    }
  }
}

/**
 * Finds an identity as an attacker would: makes new ones until one is nearer to the key than all honest peers.
 */
async function identityNearerThan(honest: readonly DHT[]): Promise<PrivateKey> {
  for (;;) {
    const privateKey = await generateKeyPair('Ed25519')
    const own = { peerId: peerIdFromPrivateKey(privateKey) }
    const [nearest] = nearestFirst<{ peerId: PeerId }>(KEY, [own, ...honest])

    if (nearest === own) {
      return privateKey
    }
  }
}

type Answer = (question: Message, talker: Talker) => void

/** Lets a bad peer answer every request. */
function answering({ talkers }: Impostor, answer: Answer): void {
  const serve = async (talker: Talker): Promise<void> => {
    for (;;) {
      answer(await talker.hearAny(), talker)
    }
  }
  const meet = async (): Promise<void> => {
    for (;;) {
      serve(await talkers.next()).catch(() => {})
    }
  }
  meet().catch(() => {})
}

/** Makes an answer that reports success, or no records, and names some peers. */
function pleasing(peers: () => readonly EncodedPeer[], record?: Uint8Array): Answer {
  return (question, talker) => {
    const introduced = peers()
    const closer = introduced.map((_, place) => place)
    const { id } = question

    if (question.name === 'store') {
      const answers = question.writes.map(() => ({ outcome: 'accepted' as const, closer }))
      talker.say({ name: 'stored', id, peers: introduced, answers })
    } else if (question.name === 'find') {
      const answers = question.keys.map(() => (record ? held(record, closer) : nothing(closer)))
      talker.say({ name: 'found', id, peers: introduced, answers })
    }
  }
}

/** Makes invented peers at another process's address. */
function phantoms(port: number): EncodedPeer[] {
  const addresses = Array.from(
    { length: ADDRESSES_EACH },
    (_, i) => `/ip4/127.0.0.${i + 1}/tcp/${port}`
  )
  return Array.from({ length: 20 }, () =>
    encodePeer({
      id: peerIdFromMultihash(multihash(SHA_256, randomBytes(32))),
      multiaddrs: addresses.map((address) => multiaddr(address))
    })
  )
}

describe('a peer that is asked, and', () => {
  it.each<[string, Answer]>([
    [
      'answers what nobody asked',
      ({ id }, talker) =>
        talker.say({
          name: 'stored',
          id: id + 1,
          peers: [],
          answers: [{ outcome: 'accepted', closer: [] }]
        })
    ],
    [
      'answers twice',
      ({ id }, talker) => {
        const answer = {
          name: 'stored' as const,
          id,
          peers: [],
          answers: [{ outcome: 'accepted' as const, closer: [] }]
        }
        talker.say(answer, answer)
      }
    ],
    [
      'answers for keys that nobody asked for',
      ({ id }, talker) =>
        talker.say({
          name: 'stored',
          id,
          peers: [],
          answers: new Array(256).fill({ outcome: 'accepted', closer: [] })
        })
    ],
    ['answers garbage', (_, talker) => talker.sayBytes(randomBytes(500))]
  ])('%s is cut off, and not asked again; the call succeeds (N6, N9c)', async (_, answer) => {
    await using all = await scene(4, 1)
    const [bad] = all.bad as [Impostor]
    const [writer] = all.nodes as [DHT]
    const asked: Message[] = []
    answering(bad, (question, talker) => {
      asked.push(question)
      answer(question, talker)
    })

    expect(await writer.store(all.key, 'stored', { ttl: TTL })).toBe(true)
    await vi.waitUntil(() => writer.libp2p.getConnections(bad.node.peerId).length === 0, PATIENCE)
    const before = asked.length

    for (let i = 1; i <= 5; i++) {
      expect(await writer.store(all.key, i, { ttl: TTL + i })).toBe(true)
    }

    expect(await writer.get(all.key, { latest: true })).toMatchObject({ value: 5 })
    expect(asked).toHaveLength(before)
  })
})

describe('a liar that names peers that are none', () => {
  it('makes nobody flood the address that it names, nor any call fail (N4, N9h)', async () => {
    let connections = 0
    const thirdParty = createServer((socket) => {
      connections++
      socket.on('error', () => {})
      socket.destroy()
    }).listen(0, '0.0.0.0')
    await once(thirdParty, 'listening')
    const { port } = thirdParty.address() as { port: number }
    await using all = await scene(4, 1)
    const [bad] = all.bad as [Impostor]
    const [writer] = all.nodes as [DHT]
    let named = 0
    answering(
      bad,
      pleasing(() => {
        named += 20
        return phantoms(port)
      })
    )
    const startMs = performance.now()

    for (let i = 1; i <= 40; i++) {
      expect(await writer.store(all.key, i, { ttl: TTL + i })).toBe(true)
      expect(await writer.get(all.key, { latest: true })).toMatchObject({ value: i })
    }

    const tookSeconds = (performance.now() - startMs) / 1000
    thirdParty.close()
    expect(named).toBeGreaterThan(500)
    // One dial may begin when a single one is left of what may be dialled.
    const allowed = (2 + tookSeconds) * DEFAULT_NODE_LIMITS.maxDialsPerSecond + ADDRESSES_EACH
    expect(connections).toBeLessThan(allowed)
  })
})

describe('a key most of whose nearest peers lie', () => {
  const old = encodeRecord(plainRecord('old', getDHTTime() + 60))

  it.each<[string, Answer]>([
    ['and hold nothing of what they accept', pleasing(() => [])],
    ['and answer with what was replaced', pleasing(() => [], old)],
    ['and answer with what breaks a rule', pleasing(() => [], randomBytes(50))],
    ['and never answer', () => {}]
  ])('%s is read right with latest, all the same (N5, N6, N9a)', async (_, answer) => {
    await using all = await scene(5, 3)
    const [writer, reader] = all.nodes as [DHT, DHT]

    for (const one of all.bad) {
      answering(one, answer)
    }

    expect(await writer.store(all.key, 'new', { ttl: TTL })).toBe(true)
    expect(await reader.get(all.key, { latest: true })).toMatchObject({ value: 'new' })
  })
})
