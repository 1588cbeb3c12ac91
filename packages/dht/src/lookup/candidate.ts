import type { PeerInfo } from '@libp2p/interface'
import { hasOnlyAddressesOf } from '../peers/peer-record.ts'

/** `suspected`: asked, and not waited for where others can replace the peer. */
export type State = 'new' | 'asked' | 'suspected' | 'answered' | 'failed' | 'excluded'

export interface Candidate {
  contact: PeerInfo

  /** Tells peers apart, too: it is a hash of their ids. */
  readonly distance: number
  isAvoided: boolean
  state: State

  /** Whether a suspect need be replaced by nobody. */
  isGivenUp: boolean

  /** The same peer at other addresses, as others have named it: for when it can't be reached at these. */
  others: PeerInfo[]
}

/** Whether it is one of these peers, at none but their addresses. */
export function isKnownAt(contact: PeerInfo, known: readonly PeerInfo[]): boolean {
  return known.some((one) => one.id.equals(contact.id) && hasOnlyAddressesOf(contact, one))
}

/** Whether a candidate comes before another one: avoided peers come after all others. */
export function isBefore(a: Candidate, b: Candidate | undefined): boolean {
  return b !== undefined && (a.isAvoided === b.isAvoided ? a.distance < b.distance : b.isAvoided)
}
