import type { PeerInfo } from '@libp2p/interface'
import { type Point, pointOfPeer } from '../peers/key-space.ts'
import { hasOnlyAddressesOf } from '../peers/peer-record.ts'

/**
 * The state of a candidate. A `suspected` one was queried, but the search continues without it where others can
 * replace it.
 */
export type State = 'new' | 'asked' | 'suspected' | 'answered' | 'failed' | 'excluded'

export interface Candidate {
  contact: PeerInfo

  /** Distance to the target. Also identifies the peer, because it comes from a hash of its id. */
  readonly distance: number
  isAvoided: boolean
  state: State

  /** Whether the search no longer waits for a suspect. */
  isGivenUp: boolean

  /** The same peer with addresses from other referrals, tried when it is unreachable at the current ones. */
  others: PeerInfo[]
}

/** Whether the peer and all its addresses are known. */
export function isKnownAt(contact: PeerInfo, known: readonly PeerInfo[]): boolean {
  return known.some((one) => one.id.equals(contact.id) && hasOnlyAddressesOf(contact, one))
}

/** Whether a candidate comes before another one: avoided peers come after all others. */
export function isBefore(a: Candidate, b: Candidate | undefined): boolean {
  return b !== undefined && (a.isAvoided === b.isAvoided ? a.distance < b.distance : b.isAvoided)
}

/** The point of a peer id, as in kad-dht. */
export function pointOfContact({ id }: PeerInfo): Point {
  return pointOfPeer(id)
}
