import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import {
  type CancellationToken,
  Lookups,
  PeerBook,
  type PeerInfo,
  type RecordChannel,
  Replicas
} from '../nodes/internals.ts'
import { SimulatedConnections } from './connections.ts'
import {
  nearestOf,
  type SimulatedNetwork,
  type SimulatedNode,
  type SimulatedPeer
} from './network.ts'
import { pointIn, pointOf } from './points.ts'
import type { Rounds } from './rounds.ts'

/** Waggle's default. */
export const NUM_REPLICAS = 5

/** Time limit in real time, which no simulated operation reaches. */
const REQUEST_TIMEOUT_MS = 60_000
const TTL = 3600
const WANTED: CancellationToken = { isCancelled: false }

/** Operations of a client, run by Waggle's own code for lookups. */
export interface SimulatedClient {
  /** Resolves with whether the key has a value. */
  get(key: string, options?: { latest?: boolean }): Promise<boolean>
  store(key: string): Promise<void>
}

/**
 * Creates a client with connections of its own. Liars accept everything, hold nothing, and list only each other.
 */
export function simulatedClient(
  network: SimulatedNetwork,
  rounds: Rounds,
  liars: readonly SimulatedNode[] = []
): SimulatedClient {
  const self = network.client()
  const peers = new PeerBook()
  const connections = new SimulatedConnections(self.point, rounds)
  const nearest = (target: Uint8Array, count: number): SimulatedNode[] =>
    network.nearest(self, pointIn(target), count)
  const replicas = new Replicas({
    self: self.id,
    store: self.store,
    channel: channelOf(network, self, { connections, rounds, liars }),
    routing: {
      nearest,
      nearestPresent: nearest,
      isLongSilent: () => false,
      isSettled: () => false
    },
    lookups: new Lookups({
      ...{ peers, requestTimeoutMs: REQUEST_TIMEOUT_MS },
      isReady: (peer) => connections.isOpen(peer)
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
      const { outcome } = await replicas.write(recordKey(key), write, WANTED)

      if (outcome !== 'held') {
        throw new Error(`no replica accepted ${key}`)
      }
    }
  }
}

interface ChannelInit {
  readonly connections: SimulatedConnections
  readonly rounds: Rounds
  readonly liars: readonly SimulatedNode[]
}

/** Responds to requests as real nodes do. */
function channelOf(
  network: SimulatedNetwork,
  self: SimulatedPeer,
  { connections, rounds, liars }: ChannelInit
): RecordChannel {
  const known = new Set(liars)
  const closer = (node: SimulatedNode, key: Uint8Array, count: number): PeerInfo[] =>
    known.has(node)
      ? nearestOf(liars, pointOf(key), count)
      : network.nearest(node, pointOf(key), count).filter((other) => other !== self)

  const request = <T>(peer: PeerInfo, reply: (node: SimulatedNode) => T): Promise<T> => {
    const node = network.nodeOf(peer)
    connections.use(node)
    return rounds.request(node.isDead ? undefined : () => reply(node))
  }

  return {
    find: (peer, key, { closerCount, isCloserAlways }) =>
      request(peer, (node) => {
        const isHeld = !known.has(node) && node.store.encoded(key) !== undefined
        const count = !isHeld || isCloserAlways ? closerCount : 0
        return { closer: closer(node, key, count), ...(isHeld && { record: node.store.get(key) }) }
      }),
    store: (peer, key, write, { closerCount }) =>
      request(peer, (node) => {
        const applied = known.has(node) ? undefined : node.store.apply(key, write)
        const outcome = applied?.isAccepted === false ? applied.reason : ('accepted' as const)
        applied?.isAccepted && network.addHolder(key, node)
        return { outcome, closer: closer(node, key, closerCount) }
      })
  }
}
