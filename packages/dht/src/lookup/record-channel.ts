import type { PeerInfo } from '@libp2p/interface'
import type { DHTRecord, Rejection, SubkeyId } from '@waggle/record'
import type { CancellationToken } from '../timing/cancellation.ts'

/** One peer's reply to a lookup of a key. */
export interface FindReply {
  /**
   * The record that it holds, checked against every rule; of subkeys that were asked for, a projection, which is
   * empty if the peer holds the key without them.
   */
  readonly record?: DHTRecord | undefined

  /** Whether it holds exactly the record of which the digest is known. */
  readonly isSame?: boolean

  /** Milliseconds since the record left its replica, if it is a copy. */
  readonly ageMs?: number | undefined

  /** Peers it knows to be near the key. */
  readonly closer: readonly PeerInfo[]

  /** Whether a plain kad-dht peer replied. */
  readonly isPlain?: boolean
}

/** A replica's reply to a write; `refused`: a rule of its own, such as a validator, does not accept it. */
export type StoreOutcome = 'accepted' | Rejection | 'refused'

/** How `RecordChannel.find` is told what to answer. */
export interface FindOptions {
  /** A question that nobody wants an answer to need not be sent. */
  readonly cancellation?: CancellationToken | undefined

  /** How many peers near the key are wanted. */
  readonly closerCount: number

  /** Whether they are wanted, too, where a record is held. */
  readonly isCloserAlways: boolean

  /** Whole seconds that a copy may be old to be an answer. @default 0: only a replica's record is one */
  readonly maxAge?: number | undefined

  /** The subkeys that are wanted, in the order of their bytes. @default the whole record */
  readonly subkeys?: readonly SubkeyId[] | undefined

  /** Digest of the record that is known already. @default none is */
  readonly digest?: Uint8Array | undefined
}

/** How `RecordChannel.store` is told what to answer. */
export interface WriteOptions {
  /** Whether the peer only caches the record: it then holds no replica. */
  readonly isCacheOnly?: boolean

  /** A write that nobody waits for any more need not be sent. */
  readonly cancellation?: CancellationToken | undefined

  /** How many peers near the key are wanted. */
  readonly closerCount: number

  /** Whether the peer is asked for what it holds if it does not say what beats the write. @default false */
  readonly isWinnerWanted?: boolean
}

/** One peer's reply to a write. */
export interface StoreReply {
  readonly outcome: StoreOutcome

  /** A record of what beats the write, checked against every rule. */
  readonly winner?: DHTRecord | undefined

  /** Peers it knows to be near the key. */
  readonly closer: readonly PeerInfo[]
}

/**
 * How records travel between this node and one other. All that the rest of the library knows of
 * the wire. Both calls reject when the peer gave no usable answer.
 */
export interface RecordChannel {
  /** Asks what the peer holds under a record key, and whom it knows near to it. */
  find(peer: PeerInfo, key: Uint8Array, options: FindOptions): Promise<FindReply>

  /** Asks the peer to hold a write, and whom it knows near to its key. */
  store(
    peer: PeerInfo,
    key: Uint8Array,
    write: DHTRecord,
    options: WriteOptions
  ): Promise<StoreReply>

  /** Whether the peer can be asked without connecting first. */
  isReady(peer: PeerInfo): boolean
}
