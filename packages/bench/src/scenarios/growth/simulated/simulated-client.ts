import type { PeerInfo } from '@libp2p/interface'
import {
  type CancellationToken,
  Lookups,
  PeerBook,
  type RecordChannel,
  Replicas,
  type Routing
} from '@waggle/dht/simulation'
import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { distanceOf, type Point, pointIn, pointOf } from './points.ts'
import type { Rounds } from './rounds.ts'
import type { SimulatedNetwork, SimulatedNode, SimulatedPeer } from './simulated-network.ts'

/** Where a record belongs: Waggle's default. */
export const NUM_REPLICAS = 5

/** Real time, in which a simulation of one operation is long over. */
const REQUEST_TIMEOUT_MS = 60_000
const TTL = 3600

/** The operations of a client, by the same code that real ones run. This file alone knows how it is driven. */
export interface SimulatedClient {
  /** Whether there is something under the key. */
  get(key: string, options?: { latest?: boolean }): Promise<boolean>
  store(key: string): Promise<void>
}

/** Liars accept everything, hold nothing, and name only each other. */
export function simulatedClient(
  network: SimulatedNetwork,
  self: SimulatedPeer,
  rounds: Rounds,
  liars: ReadonlySet<SimulatedNode> = new Set()
): SimulatedClient {
  const replicas = new Replicas({
    self: self.id,
    store: self.store,
    channel: simulatedChannel(network, self, { rounds, liars }),
    routing: simulatedRouting(network, self),
    lookups: new Lookups({
      peers: new PeerBook(),
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      isReady: () => true
    }),
    numReplicas: NUM_REPLICAS,
    isReplica: () => false
  })

  return {
    async get(key, { latest } = {}) {
      const { record } = await replicas.read(recordKey(key), { cancellation: WANTED, latest })
      return record.plain !== undefined
    },
    async store(key) {
      const write = plainRecord(`the value of ${key}`, getDHTTime() + TTL)
      const outcomes = await replicas.write(recordKey(key), write, WANTED)

      if (!outcomes.includes('accepted')) {
        throw new Error(`no replica accepted ${key}`)
      }
    }
  }
}

const WANTED: CancellationToken = { isCancelled: false }

function simulatedRouting(network: SimulatedNetwork, self: SimulatedPeer): Routing {
  return { nearest: (target, count) => network.nearest(self, pointIn(target), count) }
}

interface Company {
  readonly rounds: Rounds
  readonly liars: ReadonlySet<SimulatedNode>
}

function simulatedChannel(
  network: SimulatedNetwork,
  asker: SimulatedPeer,
  { rounds, liars }: Company
): RecordChannel {
  const lie = (key: Uint8Array, count: number): PeerInfo[] => nearestOf(liars, pointOf(key), count)

  return {
    isReady: () => true,
    find(peer, key, options) {
      const node = network.nodeOf(peer)

      if (liars.has(node)) {
        return rounds.ask(() => ({ closer: lie(key, options.closerCount) }))
      }

      return rounds.ask(
        node.isDead ? undefined : () => network.find(node, key, { ...options, asker })
      )
    },
    store(peer, key, write, options) {
      const node = network.nodeOf(peer)

      if (liars.has(node)) {
        const closer = lie(key, options.closerCount)
        return rounds.ask(() => ({ outcome: 'accepted' as const, closer }))
      }

      return rounds.ask(
        node.isDead ? undefined : () => network.store(node, key, { ...options, asker, write })
      )
    }
  }
}

function nearestOf(
  nodes: ReadonlySet<SimulatedNode>,
  target: Point,
  count: number
): SimulatedNode[] {
  return [...nodes]
    .sort((a, b) => distanceOf(target, a.point) - distanceOf(target, b.point))
    .slice(0, count)
}
