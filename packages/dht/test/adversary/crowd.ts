import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { DEFAULTS, DHT } from '@waggle/dht'
import { recordKey } from '@waggle/record'
import { createLibp2p } from 'libp2p'
import { expect } from 'vitest'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import { EXCHANGE, EXCHANGE_PROTOCOL, type Message } from '../../src/exchange/messages.ts'
import { WATCH, WATCH_PROTOCOL, type WatchMessage } from '../../src/watch/watch-messages.ts'
import { Talker } from '../support/exchange-talker.ts'
import { nothing } from '../support/find-answers.ts'
import { basicServices } from '../support/libp2p-node.ts'
import { keyWhere } from '../support/replica.ts'

/** The address of all ids of the crowd. Loopback has many addresses. */
const CROWD_HOST = '127.0.0.2'

/** Options of Node's sockets that libp2p passes on and does not name. */
const FROM_CROWD_HOST: object = { localAddress: CROWD_HOST }

/** Ids that dial at once. */
const AT_ONCE = 10

/** Starts one id of a crowd: it looks like a busy server, and names no peers. */
async function member(): Promise<Libp2p> {
  const node = await createLibp2p({
    addresses: { listen: [`/ip4/${CROWD_HOST}/tcp/0`] },
    transports: [tcp({ dialOpts: FROM_CROWD_HOST })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: basicServices()
  })
  await node.handle(DEFAULT_KAD_PROTOCOL, () => {})
  await node.handle(EXCHANGE_PROTOCOL, (stream) => {
    const talker: Talker = new Talker<Message>(stream, EXCHANGE, (message) => {
      if (message.name === 'find') {
        const answers = message.keys.map(() => nothing())
        talker.say({ name: 'found', id: message.id, peers: [], answers })
      } else {
        talker.say({ name: 'busy', id: message.id })
      }

      return true
    })
  })
  return node
}

/** Connects to the victim, and watches a key, so that the connection is not idle. */
async function crowdIn(node: Libp2p, victim: DHT): Promise<void> {
  await node.dial(victim.multiaddrs)
  const stream = await node.dialProtocol(victim.peerId, WATCH_PROTOCOL)
  const talker = new Talker<WatchMessage>(stream, WATCH)
  const key = recordKey(`${node.peerId}`)
  talker.say({
    ...{ name: 'watch', closerCount: 0, role: 'prompt' },
    keys: [{ key, digest: new Uint8Array(0) }]
  })
}

export interface CrowdOptions {
  /** Ids of the crowd, all on one machine. */
  readonly ids: number

  /** Honest peers of the victim, on another machine. */
  readonly honest: number

  /** Connections that libp2p allows the victim. */
  readonly maxConnections: number
}

/**
 * Lets a crowd connect to a node repeatedly and fill its tables, and checks the calls of honest peers.
 */
export async function expectToWithstandCrowd(options: CrowdOptions): Promise<void> {
  const { honest, ids, maxConnections } = options
  const connectionManager = { maxConnections }
  const victim = await DHT.create({ libp2pOptions: { connectionManager } })
  const initialPeers = victim.multiaddrs
  const nodes: { stop(): unknown }[] = [victim]
  const isOver = { value: false }

  try {
    const peers: DHT[] = []

    for (let i = 0; i < honest; i++) {
      peers.push(await DHT.create({ initialPeers }))
    }

    nodes.push(...peers)
    const known = (): number => victim.stats().knownPeers
    await expect.poll(known, { timeout: 30_000 }).toBe(honest)
    const lost: string[] = []
    victim.addEventListener('peer:lost', ({ detail }) => lost.push(detail.toString()))

    const crowd = await Promise.all(Array.from({ length: ids }, member))
    nodes.push(...crowd)
    const pressing = Array.from({ length: AT_ONCE }, async (_, first) => {
      for (let i = first; !isOver.value; i = (i + AT_ONCE) % ids) {
        const node = crowd[i]

        if (node !== undefined && node.getConnections().length === 0) {
          await crowdIn(node, victim).catch(() => {})
        }

        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
    await expect
      .poll(() => victim.libp2p.getConnections().length, { timeout: 60_000 })
      .toBeGreaterThan(maxConnections / 2)

    const crowded = victim.libp2p.getConnections().map(({ remoteAddr }) => String(remoteAddr))
    expect(crowded.some((address) => address.includes(CROWD_HOST))).toBe(true)

    // Newcomers get in, and whoever was there goes on to be served.
    const newcomer = await DHT.create({ initialPeers, bootstrapTimeoutMs: 30_000 })
    nodes.push(newcomer)

    // The crowd surrounds most keys, and hides what is there from anybody. Of these records an honest peer is a replica.
    const all = [victim, ...peers, newcomer, ...crowd]
    const keyAt = (node: DHT, prefix: string): string =>
      keyWhere(all, (nearest) => nearest.slice(0, DEFAULTS.numReplicas).includes(node), prefix)
    const served = keyAt(victim, 'served')
    expect(await victim.store(served, 'served', { ttl: 600 })).toBe(true)

    for (const peer of [...peers, newcomer]) {
      expect(await peer.get(served, { latest: true })).toMatchObject({ value: 'served' })
    }

    for (const [i, peer] of [...peers, newcomer].entries()) {
      const key = keyAt(peer, `of ${i}`)
      expect(await peer.store(key, i, { ttl: 600 })).toBe(true)
      expect(await victim.get(key, { latest: true })).toMatchObject({ value: i })
    }

    expect(victim.libp2p.getConnections().length).toBeLessThanOrEqual(maxConnections)
    const names = [...peers, newcomer].map(({ peerId }) => peerId.toString())
    expect(lost.filter((name) => names.includes(name))).toEqual([])
    isOver.value = true
    await Promise.all(pressing)
  } finally {
    isOver.value = true
    await Promise.all(nodes.map((node) => node.stop()))
  }
}
