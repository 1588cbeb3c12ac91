import type { PersistenceStats } from '../persistence/disk.ts'

/** What there is to see of a node. */
export interface Stats {
  /** Records held for others. */
  readonly records: number

  /** Bytes they take, encoded. */
  readonly bytes: number

  /** Peers connected to. */
  readonly peers: number

  /** Records remembered that are held for nobody. */
  readonly cachedRecords: number

  /** Bytes that these take, encoded. */
  readonly cachedBytes: number

  /** Reads that the cache has answered. */
  readonly cacheHits: number

  /** Keys that are watched in this node. */
  readonly watchedKeys: number

  /** Keys that this node watches for others, each counted once for each of them. */
  readonly watchedForOthers: number

  /** Entries that this node keeps alive, having stored them with `republish`. */
  readonly republished: number

  /** Servers of the network that are known, connected or in the routing table: searches begin with them. */
  readonly knownPeers: number

  /**
   * Milliseconds by which the clocks of the peers that this node has joined are ahead of its own,
   * in the median; negative if they are behind, undefined if no peer has told its time yet.
   */
  readonly clockSkewMs: number | undefined

  /** What is kept on disk; undefined when everything is in memory only. */
  readonly persistence: PersistenceStats | undefined
}
