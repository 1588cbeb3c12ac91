import type { PeerInfo } from '@libp2p/interface'
import type { Point } from '../peers/key-space.ts'
import type { PeerRank } from './peer-ranking.ts'

/** The parameters of a search. */
export interface SearchInit {
  /** The target point of the search. */
  target: Point

  /** Number of nearest peers that must respond before the search is done. */
  count: number

  /**
   * Returns a peer's point in the key space.
   *
   * @default the point of its peer id, as in kad-dht
   */
  pointOf?: (contact: PeerInfo) => Point

  /** Returns up to `count` known peers, nearest to the target first, with which the search begins. */
  nearest?: (target: Point, count: number) => readonly PeerInfo[]

  /**
   * Whether a peer should know the nearest peers to the target, or is probably one of the `count` nearest.
   *
   * @default all peers are
   */
  isNeighbour?: (contact: PeerInfo, target: Point, count?: number) => boolean

  /**
   * Ranks a peer, given the peer that returned it, if any. The rank decides when it is queried. @default 'first'
   * for all
   */
  rankOf?: (contact: PeerInfo, referrer?: PeerInfo) => PeerRank

  /** Candidates remembered. @default MAX_LOOKUP_CANDIDATES */
  maxCandidates?: number

  /** Peers queried. @default MAX_LOOKUP_REQUESTS */
  maxRequests?: number

  /**
   * Returns how many peers must respond before the search stops waiting for so many suspects.
   *
   * @default one more: two majorities share a peer
   */
  answersInsteadOf?: ((suspects: number) => number) | undefined
}
