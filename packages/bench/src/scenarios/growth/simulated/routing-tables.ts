import type { Random } from '../../../workload/random.ts'
import { bitOf, distanceOf, type Point } from './points.ts'

/**
 * How tables are shaped. `kademlia`: a bucket for each length of prefix that a peer may have in
 * common with the owner. `kad-dht`: js-libp2p's, a bucket for each prefix of six bits, and the 20
 * nearest, to which its nodes stay connected.
 */
export type TableShape = 'kademlia' | 'kad-dht'

/** Kademlia's k: how many peers a bucket holds. */
const BUCKET_SIZE = 20

/** js-libp2p's prefixLength. */
const PREFIX_BITS = 6

/** Neighbours in the order of their points. */
interface Range {
  readonly from: number
  readonly to: number
}

/**
 * Whom each node knows, by their indexes: as many of those that belong into a bucket as it holds,
 * drawn at random, since it is chance which of them came first.
 */
export class RoutingTables {
  readonly #points: readonly Point[]
  readonly #random: Random

  /** The points of all nodes, sorted. */
  constructor(points: readonly Point[], random: Random) {
    this.#points = points
    this.#random = random
  }

  all(shape: TableShape): readonly Uint32Array[] {
    return this.#points.map((_, owner) => Uint32Array.from(this.#tableOf(owner, shape)))
  }

  #tableOf(owner: number, shape: TableShape): Iterable<number> {
    const apart = this.#apartFrom(owner)
    return shape === 'kademlia'
      ? apart.flatMap((range) => this.#draw(range))
      : new Set([...this.#sixBitBuckets(owner), ...this.#nearest(owner, apart)])
  }

  /** All others, by the length of the prefix that they have in common with the owner. */
  #apartFrom(owner: number): Range[] {
    const apart: Range[] = []
    let same: Range = { from: 0, to: this.#points.length }

    for (let place = 0; same.to - same.from > 1; place++) {
      const [zeros, ones] = this.#split(same, place)
      const isOne = this.#bit(owner, place) === 1
      apart.push(isOne ? zeros : ones)
      same = isOne ? ones : zeros
    }

    return apart
  }

  #sixBitBuckets(owner: number): number[] {
    let buckets: Range[] = [{ from: 0, to: this.#points.length }]

    for (let place = 0; place < PREFIX_BITS; place++) {
      buckets = buckets.flatMap((range) => this.#split(range, place))
    }

    return buckets.flatMap((range) => this.#draw(range)).filter((index) => index !== owner)
  }

  #nearest(owner: number, apart: readonly Range[]): number[] {
    const nearest: number[] = []

    for (const range of apart.toReversed()) {
      if (nearest.length >= BUCKET_SIZE) {
        break
      }

      nearest.push(...indexesIn(range))
    }

    return nearest
      .sort((a, b) => this.#distance(owner, a) - this.#distance(owner, b))
      .slice(0, BUCKET_SIZE)
  }

  #draw(range: Range): number[] {
    const size = range.to - range.from

    if (size <= BUCKET_SIZE) {
      return indexesIn(range)
    }

    const indexes = new Set<number>()

    while (indexes.size < BUCKET_SIZE) {
      indexes.add(range.from + Math.floor(this.#random() * size))
    }

    return [...indexes]
  }

  /** Those with a 0 at the place, and those with a 1; they agree in all bits before it. */
  #split({ from, to }: Range, place: number): [Range, Range] {
    let low = from
    let high = to

    while (low < high) {
      const middle = (low + high) >>> 1

      if (this.#bit(middle, place) === 1) {
        high = middle
      } else {
        low = middle + 1
      }
    }

    return [
      { from, to: low },
      { from: low, to }
    ]
  }

  #bit(index: number, place: number): number {
    return bitOf(this.#point(index), place)
  }

  #distance(a: number, b: number): number {
    return distanceOf(this.#point(a), this.#point(b))
  }

  #point(index: number): Point {
    const point = this.#points[index]

    if (point === undefined) {
      throw new RangeError(`there is no node ${index}`)
    }

    return point
  }
}

function indexesIn({ from, to }: Range): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
