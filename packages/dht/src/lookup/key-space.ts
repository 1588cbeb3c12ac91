import type { PeerId } from '@libp2p/interface'
import { sha256 } from '@noble/hashes/sha2.js'

/**
 * Points of the key space are 256-bit numbers, as libp2p's kad-dht has them (libp2p specs,
 * kad-dht, "Distance"): a key's is the SHA-256 of its bytes, a peer's that of its multihash.
 */
export type Point = Uint8Array

/** The point of a record key. */
export function pointOfKey(key: Uint8Array): Point {
  return sha256(key)
}

/** The point of a peer. */
export function pointOfPeer(peer: PeerId): Point {
  return sha256(peer.toMultihash().bytes)
}

/** The XOR metric of Kademlia (§2.1 of the paper), to be compared bytewise. */
export function distance(a: Point, b: Point): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}
