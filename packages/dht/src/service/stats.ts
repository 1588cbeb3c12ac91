import type { PersistenceStats } from '../persistence/disk.ts'
import type { ServedStats } from '../wire/served.ts'

/** Figures of a node at one moment. */
export interface Stats {
  /** Records stored for others. */
  readonly records: number

  /** Bytes they take, encoded. */
  readonly bytes: number

  /** Connected peers. */
  readonly peers: number

  /** Records in the cache. */
  readonly cachedRecords: number

  /** Bytes that they take, encoded. */
  readonly cachedBytes: number

  /** Reads answered from the cache. */
  readonly cacheHits: number

  /** Keys and single subkeys that this node watches. */
  readonly watchedKeys: number

  /** Keys that other peers watch at this node, counted once per peer. */
  readonly watchedForOthers: number

  /** Work for other peers since the node started. */
  readonly served: ServedStats

  /** Values found so far that fit no schema of the handle that read them, and were left out. */
  readonly misfits: number

  /** Keys whose changes this node forwards to others. */
  readonly forwardedKeys: number

  /** Values that this node keeps alive. */
  readonly publications: number

  /** Servers in the routing table, connected or not: lookups start from them. */
  readonly knownPeers: number

  /** Dials so far of peers that were needed and not connected. */
  readonly dials: number

  /**
   * These dials by the task that needed the peer: `join`, `neighbours`, `probe`, `pages`, or the name of a protocol, as
   * `exchange`, `watch`, `compare`, `clock`, `gateway` and `kad`.
   */
  readonly dialsByTask: Readonly<Record<string, number>>

  /** Dials so far that a peer refused because it had no room. */
  readonly refusedDials: number

  /** Peers disconnected so far because too many were connected. */
  readonly disconnectedPeers: number

  /**
   * Median milliseconds by which the connected peers' clocks are ahead of this node's. Negative if
   * they are behind, undefined without a reading.
   */
  readonly clockSkewMs: number | undefined

  /** Figures of the disk. Undefined when everything is in memory only. */
  readonly persistence: PersistenceStats | undefined
}
