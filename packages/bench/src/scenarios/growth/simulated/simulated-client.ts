import {
  Avoidance,
  Lookups,
  type RecordChannel,
  Replicas,
  type Routing,
  type Wanted
} from '@waggle/dht/simulation'
import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { pointIn } from './points.ts'
import type { Rounds } from './rounds.ts'
import type { SimulatedNetwork, SimulatedPeer } from './simulated-network.ts'

/** Where a record belongs: Waggle's default. */
export const NUM_REPLICAS = 5

/** Real time, in which a simulation of one operation is long over. */
const REQUEST_TIMEOUT_MS = 60_000
const TTL = 3600

/** The operations of a client, by the same code that real ones run. This file alone knows how it is driven. */
export interface SimulatedClient {
  /** Whether there is something under the key. */
  get(key: string): Promise<boolean>
  store(key: string): Promise<void>
}

export function simulatedClient(
  network: SimulatedNetwork,
  self: SimulatedPeer,
  rounds: Rounds
): SimulatedClient {
  const avoidance = new Avoidance()
  const replicas = new Replicas({
    self: self.id,
    store: self.store,
    channel: simulatedChannel(network, self, rounds),
    routing: simulatedRouting(network, self),
    avoidance,
    lookups: new Lookups({
      avoidance,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      isReady: () => true
    }),
    numReplicas: NUM_REPLICAS,
    isReplica: () => false
  })

  return {
    async get(key) {
      const { record } = await replicas.read(recordKey(key), { wanted: WANTED })
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

const WANTED: Wanted = { isWanted: true }

function simulatedRouting(network: SimulatedNetwork, self: SimulatedPeer): Routing {
  return { nearest: (target, count) => network.nearest(self, pointIn(target), count) }
}

function simulatedChannel(
  network: SimulatedNetwork,
  asker: SimulatedPeer,
  rounds: Rounds
): RecordChannel {
  return {
    isReady: () => true,
    find(peer, key, options) {
      const node = network.nodeOf(peer)
      return rounds.ask(
        node.isDead ? undefined : () => network.find(node, key, { ...options, asker })
      )
    },
    store(peer, key, write, options) {
      const node = network.nodeOf(peer)
      return rounds.ask(
        node.isDead ? undefined : () => network.store(node, key, { ...options, asker, write })
      )
    }
  }
}
