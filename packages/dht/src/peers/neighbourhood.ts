import { type Point, pointOfPeer, roughDistance } from './key-space.ts'
import type { Routing } from './routing.ts'

/**
 * A node knows so many of its nearest peers without gaps: Kademlia's k (§2.3 of the paper). They are more than one host
 * may have near it.
 */
const NEIGHBOURS = 20

/** Milliseconds for which an estimate of the distance between neighbours is used. */
const ESTIMATE_MS = 1_000

/**
 * Tells which peers should know the peers nearest to a point: those that are as near to it as neighbours are to each
 * other. Peers are spread evenly over the key space, so a node's own neighbours show how near that is. To a node that
 * knows fewer peers, all are neighbours.
 */
export class Neighbourhood {
  readonly #own: Point
  readonly #routing: Routing
  #radius = Number.POSITIVE_INFINITY
  #untilMs = Number.NEGATIVE_INFINITY

  /** @param own point of the node that asks */
  constructor(own: Point, routing: Routing) {
    this.#own = own
    this.#routing = routing
  }

  /** Whether a peer is a neighbour of a point, or probably one of the `count` nearest to it. */
  has(target: Point, peer: Point, count: number = NEIGHBOURS): boolean {
    this.#estimate(performance.now())
    return roughDistance(target, peer) <= (this.#radius * count) / NEIGHBOURS
  }

  #estimate(nowMs: number): void {
    if (nowMs >= this.#untilMs) {
      const farthest = this.#routing.nearest(this.#own, NEIGHBOURS)[NEIGHBOURS - 1]
      this.#untilMs = nowMs + ESTIMATE_MS
      this.#radius = farthest
        ? roughDistance(this.#own, pointOfPeer(farthest.id))
        : Number.POSITIVE_INFINITY
    }
  }
}
