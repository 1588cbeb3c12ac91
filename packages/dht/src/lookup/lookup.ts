import type { PeerInfo } from '@libp2p/interface'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { Search } from './search.ts'

/** The part of a response that a search needs. */
export interface LookupResponse {
  /** Peers that may be nearer. */
  readonly closer: readonly PeerInfo[]

  /** Whether this node named exactly these in its request. */
  readonly areCloserKnown?: boolean

  /** Whether a plain kad-dht peer responded. */
  readonly isPlain?: boolean
}

/** The result of a lookup, besides the responses that it took. */
export interface LookupResult {
  /** Peers that responded that they are overloaded. */
  readonly numBusy: number
}

/** A lookup of one key. */
export interface Lookup<R extends LookupResponse> {
  readonly search: Search

  readonly cancellation: CancellationToken

  /**
   * Peers queried at once while responses contain nearer ones. Once a response contains none, all remaining peers
   * are queried at once, since each of them is needed.
   */
  readonly parallelism: number

  /** Whether another peer is queried for each that takes longer than most. */
  readonly isHedged: boolean

  /** Whether requests to suspects are sent even after its end. @default false */
  readonly isForAll?: boolean

  /** Queries one peer; rejects when it does not respond. */
  ask(contact: PeerInfo, cancellation: CancellationToken): Promise<R>

  /**
   * Takes a response after the search has taken it. Undefined: the peer failed, with this error or for lack of
   * progress. Returns true if no more responses are needed.
   */
  take(contact: PeerInfo, response: R | undefined, error?: Error): boolean

  /** Called when no more requests are needed, and may add some to the search. Returns whether it has. */
  continues?(): boolean

  /** Called when the lookup stops waiting for a peer, for now. */
  onSuspect?(): void
}
