import process from 'node:process'
import type { DHT, Stats } from '@waggle/dht'
import { VERSION } from '../version.ts'
import { firstToExpire, type RecordInShort } from './held-records.ts'
import { ringPosition } from './ring.ts'

/** The state of a node. */
export interface Overview {
  readonly peerId: string
  readonly pid: number
  readonly version: string
  readonly uptimeSeconds: number
  readonly addresses: readonly string[]

  /** First of the ports on which the node finds other nodes of this machine. */
  readonly localPort: number
  readonly stats: Stats
  readonly counters: Counters

  /** The node's position on the ring of keys, from 0 to 1. */
  readonly position: number
  readonly peers: readonly PeerPlace[]

  /** The records that expire first, in order of expiration. */
  readonly records: readonly RecordInShort[]
}

/** Counts since the node started; undefined if it has no metrics. */
export interface Counters {
  readonly stored?: number
  readonly expired?: number

  /** Replies of replicas to this node's writes that they are full. */
  readonly replicasFull?: number
  readonly receivedBytes?: number
  readonly sentBytes?: number
  readonly cpuSeconds: number
}

/** A connected peer with its position on the ring. */
export interface PeerPlace {
  readonly id: string
  readonly position: number
}

/** The counts that come from the metrics. */
export type CountedByMetrics = Omit<Counters, 'cpuSeconds'>

/** The sources of an overview. */
export interface OverviewInit {
  readonly dht: DHT
  readonly counted: () => Promise<CountedByMetrics>
  readonly localPort: number
}

/** Gathers the state of a node, with at most `count` of its records. */
export async function overviewOf(
  { dht, counted, localPort }: OverviewInit,
  count: number
): Promise<Overview> {
  const { user, system } = process.cpuUsage()
  return {
    peerId: dht.peerId.toString(),
    pid: process.pid,
    version: VERSION,
    uptimeSeconds: process.uptime(),
    addresses: dht.multiaddrs.map(String),
    localPort,
    stats: dht.stats(),
    counters: { ...(await counted()), cpuSeconds: (user + system) / 1e6 },
    position: ringPosition(dht.peerId.toMultihash().bytes),
    peers: dht.peers.map((id) => ({
      id: id.toString(),
      position: ringPosition(id.toMultihash().bytes)
    })),
    records: firstToExpire(dht.heldRecords(), count)
  }
}
