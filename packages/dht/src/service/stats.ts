import type { PersistenceStats } from '../persistence/disk.ts'

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

  /** Keys that this node watches. */
  readonly watchedKeys: number

  /** Keys that other peers watch at this node, counted once per peer. */
  readonly watchedForOthers: number

  /** Entries that this node republishes. */
  readonly republished: number

  /** Known servers of the network, connected or in the routing table: lookups start from them. */
  readonly knownPeers: number

  /**
   * Median milliseconds by which the connected peers' clocks are ahead of this node's. Negative if
   * they are behind, undefined if no peer has told its time yet.
   */
  readonly clockSkewMs: number | undefined

  /** Figures of the disk. Undefined when everything is in memory only. */
  readonly persistence: PersistenceStats | undefined
}
