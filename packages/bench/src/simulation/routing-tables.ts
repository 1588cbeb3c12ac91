import type { Random } from '../workload/random.ts'
import { bitOf, distanceOf, type Point } from './points.ts'

/**
 * Shape of a routing table. `kademlia` has a bucket for each length of the prefix shared with the owner.
 * `kad-dht` has js-libp2p's buckets, one for each prefix of six bits, and the 20 nearest peers, to which its
 * nodes stay connected.
 */
export type TableShape = 'kademlia' | 'kad-dht'

/** Kademlia's k: peers of a bucket. */
const BUCKET_SIZE = 20

/** js-libp2p's prefixLength. */
const PREFIX_BITS = 6

/** Consecutive indexes, from the first one to the one after the last. */
type Range = readonly [from: number, to: number]

/**
 * Returns the routing table of each node, as indexes. A full bucket holds peers drawn at random, as chance
 * decides which of them come first. The points must be sorted.
 */
export function routingTables(
  points: readonly Point[],
  shape: TableShape,
  random: Random
): readonly Uint32Array[] {
  const draw = (range: Range): number[] => drawFrom(range, random)
  const prefixes = sixBitRanges(points)

  return points.map((point, owner) => {
    const apart = rangesApart(points, point)
    const table =
      shape === 'kademlia'
        ? apart.flatMap(draw)
        : new Set([...prefixes.flatMap(draw), ...nearest(points, point, apart)])
    return Uint32Array.from(table).filter((index) => index !== owner)
  })
}

/** Returns all others, by the length of the prefix that they share with the owner. */
function rangesApart(points: readonly Point[], owner: Point): Range[] {
  const apart: Range[] = []
  let same: Range = [0, points.length]

  for (let place = 0; same[1] - same[0] > 1; place++) {
    const [zeros, ones] = split(points, same, place)
    const isOne = bitOf(owner, place) === 1
    apart.push(isOne ? zeros : ones)
    same = isOne ? ones : zeros
  }

  return apart
}

function sixBitRanges(points: readonly Point[]): Range[] {
  let ranges: Range[] = [[0, points.length]]

  for (let place = 0; place < PREFIX_BITS; place++) {
    ranges = ranges.flatMap((range) => split(points, range, place))
  }

  return ranges
}

/** Returns the nearest peers: those with the longest shared prefixes, sorted. */
function nearest(points: readonly Point[], owner: Point, apart: readonly Range[]): number[] {
  const found: number[] = []

  for (const range of apart.toReversed()) {
    if (found.length < BUCKET_SIZE) {
      found.push(...indexesIn(range))
    }
  }

  const distance = (index: number): number => distanceOf(owner, points[index] as Point)
  return found.sort((a, b) => distance(a) - distance(b)).slice(0, BUCKET_SIZE)
}

function drawFrom(range: Range, random: Random): number[] {
  const [from, to] = range

  if (to - from <= BUCKET_SIZE) {
    return indexesIn(range)
  }

  const indexes = new Set<number>()

  while (indexes.size < BUCKET_SIZE) {
    indexes.add(from + Math.floor(random() * (to - from)))
  }

  return [...indexes]
}

/** Splits points that agree in all bits before a place into those with a 0 there and those with a 1. */
function split(points: readonly Point[], [from, to]: Range, place: number): [Range, Range] {
  let [low, high] = [from, to]

  while (low < high) {
    const middle = (low + high) >>> 1

    if (bitOf(points[middle] as Point, place) === 1) {
      high = middle
    } else {
      low = middle + 1
    }
  }

  return [
    [from, low],
    [low, to]
  ]
}

function indexesIn([from, to]: Range): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
