import type { PeerInfo } from '@libp2p/interface'
import type { DHTRecord, Rejection, SubkeyId } from '@waggle/record'
import type { NearPeers } from '../peers/near-peers.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { LookupResponse } from './lookup.ts'

/** One peer's reply to a lookup of a key. */
export interface FindReply {
  /**
   * The peer's record, checked against every rule. For requested subkeys it is a projection, which is empty if the
   * peer holds the key without them.
   */
  readonly record?: DHTRecord | undefined

  /** Whether its record has exactly the digest in the request. */
  readonly isSame?: boolean

  /** Whether it is a replica without the record, and has had the same neighbours for so long that they would have handed it over. */
  readonly isAbsent?: boolean

  /** Milliseconds since the record left its replica, if it is a copy. */
  readonly ageMs?: number | undefined

  /** Peers near the key that it knows. */
  readonly closer: readonly PeerInfo[]

  /** Whether a plain kad-dht peer replied. */
  readonly isPlain?: boolean
}

/** A replica's reply to a write; `refused`: a rule of its own, such as a validator, does not accept it. */
export type ReplyOutcome = 'accepted' | Rejection | 'refused'

/** Options of `RecordChannel.find`. */
export interface FindOptions {
  /** Cancels the request if it is not yet sent. */
  readonly cancellation?: CancellationToken | undefined

  /** Number of requested peers near the key. */
  readonly closerCount: number

  /** Whether peers are requested even from a peer with a record. */
  readonly isCloserAlways: boolean

  /** Whole seconds that a copy may be old to be an answer. @default 0: only a replica's record is one */
  readonly maxAge?: number | undefined

  /** The requested subkeys, in the order of their bytes. @default the whole record */
  readonly subkeys?: readonly SubkeyId[] | undefined

  /** Digest of the record that this node already has. @default none */
  readonly digest?: Uint8Array | undefined
}

/** Options of `RecordChannel.store`. */
export interface SendOptions {
  /** Whether the peer only caches the record and does not become a replica. */
  readonly isCacheOnly?: boolean

  /** Cancels the write if it is not yet sent. */
  readonly cancellation?: CancellationToken | undefined

  /** Number of requested peers near the key. */
  readonly closerCount: number

  /** Those that this node knows, which need not be named. @default none */
  readonly near?: NearPeers | undefined

  /** Whether to request the peer's record if its response lacks the entries that beat the write. @default false */
  readonly isWinnerWanted?: boolean
}

/** One peer's reply to a write. */
export interface StoreReply extends LookupResponse {
  readonly outcome: ReplyOutcome

  /** A record of the entries that beat the write, checked against every rule. */
  readonly winner?: DHTRecord | undefined
}

/**
 * The exchange of records with one peer, which hides the protocol from the rest of the library. Both calls reject
 * when the peer gave no usable response.
 */
export interface RecordChannel {
  /** Requests the peer's record of a key, and the peers near the key that it knows. */
  find(peer: PeerInfo, key: Uint8Array, options: FindOptions): Promise<FindReply>

  /** Requests the peer to store a write, and the peers near its key that it knows. */
  store(
    peer: PeerInfo,
    key: Uint8Array,
    write: DHTRecord,
    options: SendOptions
  ): Promise<StoreReply>
}
