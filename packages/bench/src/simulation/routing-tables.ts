import type { Random } from '../workload/random.ts'
import { bitOf, distanceOf, type Point } from './points.ts'

/**
 * Shape of a routing table. `kademlia` has a bucket for each length of the prefix shared with the owner.
 * `waggle` has a bucket for each other prefix of six bits, for each length of a longer shared prefix, and the 32
 * nearest peers.
 */
export type TableShape = 'kademlia' | 'waggle'

/** Kademlia's k: peers of a bucket. */
const BUCKET_SIZE = 20

/** Waggle's buckets, and its neighbourhood. */
const PREFIX_BITS = 6
const NEIGHBOURS = 32

/** Consecutive indexes, from the first to the one after the last. */
type Range = readonly [from: number, to: number]

/**
 * Makes the routing table of a node, as indexes. A full bucket holds random peers, because their order of arrival
 * is random. The points must be sorted.
 */
export function routingTables(
  points: readonly Point[],
  shape: TableShape,
  random: Random
): (owner: number) => Uint32Array {
  const draw = (range: Range): number[] => drawFrom(range, random)
  const prefixes = sixBitRanges(points)

  return (owner) => {
    const point = points[owner] as Point
    const apart = rangesApart(points, point)
    const others = prefixes.toSpliced(point.high >>> (32 - PREFIX_BITS), 1)
    const ranges = shape === 'kademlia' ? apart : [...others, ...apart.slice(PREFIX_BITS)]
    const near = shape === 'kademlia' ? [] : nearestIndexes(points, point, NEIGHBOURS + 1)
    const table = new Set([...ranges.flatMap(draw), ...near])
    return Uint32Array.from(table).filter((index) => index !== owner)
  }
}

/** Returns all others, by the length of the prefix that they share with a point. */
function rangesApart(points: readonly Point[], owner: Point): Range[] {
  const apart: Range[] = []
  let same: Range = [0, points.length]

  for (let place = 0; same[1] - same[0] > 1; place++) {
    const [zeros, ones] = split(points, same, place)
    const isOne = bitOf(owner, place) === 1
    apart.push(isOne ? zeros : ones)
    same = isOne ? ones : zeros
  }

  return [...apart, same]
}

function sixBitRanges(points: readonly Point[]): Range[] {
  let ranges: Range[] = [[0, points.length]]

  for (let place = 0; place < PREFIX_BITS; place++) {
    ranges = ranges.flatMap((range) => split(points, range, place))
  }

  return ranges
}

/** Returns the nearest to a target: those with the longest shared prefixes, sorted. The points must be sorted. */
export function nearestIndexes(points: readonly Point[], target: Point, count: number): number[] {
  const found: number[] = []

  for (const range of rangesApart(points, target).toReversed()) {
    if (found.length < count) {
      found.push(...indexesIn(range))
    }
  }

  const distance = (index: number): number => distanceOf(target, points[index] as Point)
  return found.sort((a, b) => distance(a) - distance(b)).slice(0, count)
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
