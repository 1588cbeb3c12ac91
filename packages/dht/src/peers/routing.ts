import type { PeerInfo } from '@libp2p/interface'

/** Where a search for a key begins. */
export interface Routing {
  /** The known peers that are nearest to the point `target` of the key space. */
  nearest(target: Uint8Array, count: number): PeerInfo[]
}
