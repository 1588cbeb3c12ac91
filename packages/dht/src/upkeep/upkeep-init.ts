import type { Logger, PeerId, PeerInfo } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import type { Member } from '../peers/known-peers.ts'
import type { RecordStore } from '../store/record-store.ts'

/** Parts of a node that upkeep uses. */
export interface UpkeepInit {
  readonly self: PeerInfo
  readonly store: RecordStore
  readonly numReplicas: number

  /** Whether this node stores records for others: a client does not. */
  readonly isReplica: () => boolean

  /** Lists the servers that are present, as far as this node knows. */
  readonly members: () => Iterable<Member>

  /** Whether a peer is near enough to this node to concern its records. */
  readonly isNear: (peer: PeerId) => boolean

  /** Sends a record to a peer. Rejects when that fails. */
  readonly send: (to: PeerInfo, key: Uint8Array, record: DHTRecord) => Promise<unknown>

  /** Asks whether a peer stores anything under a key. Rejects when it does not answer. */
  readonly holds: (peer: PeerInfo, key: Uint8Array) => Promise<boolean>

  /**
   * Asks a peer for the fingerprint of its record under each key, see `fingerprintOf`. Rejects when
   * it does not answer.
   */
  readonly fingerprints: (peer: PeerInfo, keys: readonly Uint8Array[]) => Promise<Uint8Array[]>

  /** Joins what all replicas hold under a key, and brings those up to date that lack some of it, this node included. */
  readonly reconcile: (key: Uint8Array) => Promise<void>

  /** Looks up the peers nearest to this node. */
  readonly lookAround: () => Promise<unknown>
  readonly log: Logger
}
