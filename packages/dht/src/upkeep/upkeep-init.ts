import type { Logger, PeerId, PeerInfo } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import type { ReplyOutcome } from '../lookup/record-channel.ts'
import type { Member } from '../peers/known-peers.ts'
import type { RecordStore } from '../store/record-store.ts'

/** Parts of a node that upkeep uses. */
export interface UpkeepInit {
  readonly self: PeerInfo
  readonly store: RecordStore
  readonly numReplicas: number

  /** Whether this node stores records for others: a client does not. */
  readonly isReplica: () => boolean

  /** Lists the servers that are present, according to this node. */
  readonly members: () => Iterable<Member>

  /** Whether a peer is near enough to this node to affect its records. */
  readonly isNear: (peer: PeerId) => boolean

  /** Sends a record to a peer. Rejects when the peer gives no usable response. */
  readonly send: (to: PeerInfo, key: Uint8Array, record: DHTRecord) => Promise<ReplyOutcome>

  /** Returns whether a peer stores a record under a key. Rejects when the peer does not respond. */
  readonly holds: (peer: PeerInfo, key: Uint8Array) => Promise<boolean>

  /**
   * Requests a peer's fingerprints of its records under some keys, see `fingerprintOf`. Rejects when the peer does
   * not respond.
   */
  readonly fingerprints: (peer: PeerInfo, keys: readonly Uint8Array[]) => Promise<Uint8Array[]>

  /** Merges all replicas' records of a key, and updates the replicas that lack some of it, this node included. */
  readonly reconcile: (key: Uint8Array) => Promise<void>

  /** Looks up the peers nearest to this node. */
  readonly findNeighbours: () => Promise<void>
  readonly log: Logger
}
