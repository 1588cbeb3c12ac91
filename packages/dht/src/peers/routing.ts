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

  /** Whether no server has come near this node, or left, for so long that what it should hold has been handed over to it. */
  isSettled(): boolean

  /** Whether a peer has failed for so long, without any response, that it may have left. */
  isLongSilent(peer: PeerId): boolean
}
