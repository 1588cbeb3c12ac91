import { createHash } from 'node:crypto'

/**
 * A point of the key space: the first 53 bits of a SHA-256, which sort as libp2p's 256 bits do. Collisions of so
 * many bits do not occur.
 */
export interface Point {
  readonly high: number
  readonly low: number
}

const LOW_BITS = 21

/** Returns the point of a record key or of a peer's multihash. */
export function pointOf(bytes: Uint8Array): Point {
  return pointIn(createHash('sha256').update(bytes).digest())
}

/** Returns the point of a whole SHA-256. */
export function pointIn(hash: Uint8Array): Point {
  const view = new DataView(hash.buffer, hash.byteOffset)
  return { high: view.getUint32(0), low: view.getUint32(4) >>> (32 - LOW_BITS) }
}

/** Sorts points as numbers: points that share a prefix are neighbours. */
export function comparePoints(a: Point, b: Point): number {
  return a.high - b.high || a.low - b.low
}

/** Returns the XOR of two points as a number. */
export function distanceOf(a: Point, b: Point): number {
  return ((a.high ^ b.high) >>> 0) * 2 ** LOW_BITS + (a.low ^ b.low)
}

/** Returns the bit at a place; the first place is 0. */
export function bitOf({ high, low }: Point, place: number): number {
  return place < 32 ? (high >>> (31 - place)) & 1 : (low >>> (31 + LOW_BITS - place)) & 1
}
