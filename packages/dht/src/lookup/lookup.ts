import type { PeerInfo } from '@libp2p/interface'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { Search } from './search.ts'

/** The part of a response that a search needs. */
export interface LookupResponse {
  /** Peers that may be nearer. */
  readonly closer: readonly PeerInfo[]

  /** Whether a plain kad-dht peer responded. */
  readonly isPlain?: boolean
}

/** The result of a lookup, besides what it took in. */
export interface LookupResult {
  /** Peers that had too much to do. */
  readonly numBusy: number
}

/** A lookup of one key. */
export interface Lookup<R extends LookupResponse> {
  readonly search: Search

  readonly cancellation: CancellationToken

  /**
   * Peers asked at once for as long as responses name nearer ones; all that are left once one names
   * none, since these have to be asked anyway.
   */
  readonly parallelism: number

  /** Whether one more peer is asked for each that takes longer than most. */
  readonly isHedged: boolean

  /** Whether requests to suspects are sent even after its end. @default false */
  readonly isForAll?: boolean

  /** Asks one peer; rejects when it does not respond. */
  ask(contact: PeerInfo, cancellation: CancellationToken): Promise<R>

  /** Takes in a response after the search has; undefined: the peer failed. True if that is enough. */
  take(contact: PeerInfo, response: R | undefined): boolean

  /** Called when a peer is not waited for any more, for now. */
  onSuspect?(): void
}
