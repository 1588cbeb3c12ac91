import type { PeerInfo } from '@libp2p/interface'
import { type Point, pointOfPeer } from '../peers/key-space.ts'
import { hasOnlyAddressesOf } from '../peers/peer-record.ts'

/**
 * The state of a candidate. A `suspected` one was queried, but the search continues without it where others can
 * replace it. One that is queried `again` has responded.
 */
export type State = 'new' | 'again' | 'asked' | 'suspected' | 'answered' | 'failed' | 'excluded'

export interface Candidate {
  contact: PeerInfo

  /** Distance to the target. Also identifies the peer, because it comes from a hash of its id. */
  readonly distance: number
  isAvoided: boolean
  state: State

  /** Whether the search no longer waits for a suspect. */
  isGivenUp: boolean

  /** The same peer with addresses from other referrals, tried when it is unreachable at the current ones. */
  others: readonly PeerInfo[]
}

/** Whether the peer and all its addresses are known. */
export function isKnownAt(contact: PeerInfo, known: readonly PeerInfo[]): boolean {
  return known.some((one) => one.id.equals(contact.id) && hasOnlyAddressesOf(contact, one))
}

/** Inserts by distance. It begins at the end, because peers mostly come nearest first. */
export function insert(candidates: Candidate[], candidate: Candidate): void {
  let place = candidates.length

  while (place > 0 && isBefore(candidate, candidates[place - 1])) {
    place--
  }

  if (place === candidates.length) {
    candidates.push(candidate)
  } else {
    candidates.splice(place, 0, candidate)
  }
}

/** Whether a candidate comes before another one: avoided peers come after all others. */
function isBefore(a: Candidate, b: Candidate | undefined): boolean {
  return b !== undefined && (a.isAvoided === b.isAvoided ? a.distance < b.distance : b.isAvoided)
}

/** A peer that may hold the key. */
export interface SearchServer {
  readonly contact: PeerInfo
  readonly hasResponded: boolean
}

/** Lists the candidates that may hold the key, nearest first. */
export function serversAmong(candidates: readonly Candidate[]): SearchServer[] {
  return candidates
    .filter(({ state }) => state !== 'excluded')
    .sort((a, b) => a.distance - b.distance)
    .map(({ contact, state }) => ({ contact, hasResponded: state === 'answered' }))
}

/** Whether the `count` nearest of the {@link serversAmong} candidates have responded, or all of fewer. */
export function haveResponded(candidates: readonly Candidate[], count: number): boolean {
  let silent = Number.POSITIVE_INFINITY
  let nearer = 0

  for (const { distance, state } of candidates) {
    if (state !== 'answered' && state !== 'excluded') {
      silent = Math.min(silent, distance)
    }
  }

  for (const { distance, state } of candidates) {
    nearer += Number(state === 'answered' && distance < silent)
  }

  return silent === Number.POSITIVE_INFINITY || nearer >= count
}

/** The point of a peer id, as in kad-dht. */
export function pointOfContact({ id }: PeerInfo): Point {
  return pointOfPeer(id)
}
