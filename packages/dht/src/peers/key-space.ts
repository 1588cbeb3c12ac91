import type { PeerId } from '@libp2p/interface'
import { sha256 } from '../sha256.ts'

/**
 * Points of the key space are 256-bit numbers, as in libp2p's kad-dht (libp2p specs, kad-dht, "Distance"): a key's
 * is the SHA-256 of its bytes, a peer's that of its multihash.
 */
export type Point = Uint8Array

/** The last key, and its point: one step asks several times for that of one key. */
let lastKey: Uint8Array | undefined
let lastPoint: Point = new Uint8Array(0)

/** The point of a record key. Nobody changes the bytes of a key. */
export function pointOfKey(key: Uint8Array): Point {
  if (key !== lastKey) {
    lastPoint = sha256(key)
    lastKey = key
  }

  return lastPoint
}

const pointsOfPeers = new WeakMap<PeerId, Point>()

/** The point of a peer. */
export function pointOfPeer(peer: PeerId): Point {
  const known = pointsOfPeers.get(peer)

  if (known !== undefined) {
    return known
  }

  const point = sha256(peer.toMultihash().bytes)
  pointsOfPeers.set(peer, point)
  return point
}

/** The XOR metric of Kademlia (§2.1 of the paper), for bytewise comparison. */
export function distance(a: Point, b: Point): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}

/**
 * The first 53 bits of the distance as a number. They are enough to sort peers, because distinct peers do not share
 * as many by chance.
 */
export function roughDistance(a: Point, b: Point): number {
  return first53Bits(uint32At(a, 0) ^ uint32At(b, 0), uint32At(a, 4) ^ uint32At(b, 4))
}

/** Compares peers by their distance to a point, for a sort with the nearest first. */
export function byDistanceTo(point: Point): (a: Peer, b: Peer) => number {
  return (a, b) => roughDistance(point, pointOfPeer(a.id)) - roughDistance(point, pointOfPeer(b.id))
}

interface Peer {
  readonly id: PeerId
}

/** The first 53 bits of two 32-bit numbers. */
export function first53Bits(high: number, low: number): number {
  return (high >>> 0) * 2 ** 21 + (low >>> 11)
}

/** Four bytes of a point as a number. */
export function uint32At(point: Point, at: number): number {
  return (
    (((point[at] ?? 0) << 24) |
      ((point[at + 1] ?? 0) << 16) |
      ((point[at + 2] ?? 0) << 8) |
      (point[at + 3] ?? 0)) >>>
    0
  )
}

/** The number of leading bits that two points share, up to 32: their proximity in powers of two. */
export function sharedBits(a: Point, b: Point): number {
  return Math.clz32(uint32At(a, 0) ^ uint32At(b, 0))
}
