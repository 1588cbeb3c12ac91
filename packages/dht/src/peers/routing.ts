import type { PeerId, PeerInfo } from '@libp2p/interface'

/** The starting points of a search for a key. */
export interface Routing {
  /** The known peers that are nearest to the point `target` of the key space. */
  nearest(target: Uint8Array, count: number): PeerInfo[]
}

/** The servers that a node knows, and which of them have left. */
export interface Membership extends Routing {
  /** The known peers nearest to a point, without those that have certainly left. */
  nearestPresent(target: Uint8Array, count: number): PeerInfo[]

  /**
   * Whether this node has served for so long without newcomers near a point that it has been handed over what it should
   * hold there. Near are those that a longer search would ask. As long as fewer servers have left than hold a record,
   * one of those that did is still there.
   */
  isSettled(target: Uint8Array, numReplicas: number): boolean

  /** Whether a peer has failed for so long, without any response, that it may have left. */
  isLongSilent(peer: PeerId): boolean
}
