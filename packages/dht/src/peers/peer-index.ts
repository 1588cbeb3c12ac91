import type { PeerInfo } from '@libp2p/interface'
import { first53Bits, type Point, pointOfPeer, uint32At } from './key-space.ts'

interface Indexed {
  contact: PeerInfo
  readonly high: number
  readonly low: number
}

/** Peers by their points in the key space. */
export class PeerIndex {
  readonly #places = new Map<string, number>()
  readonly #peers: Indexed[] = []
  readonly #pointOf: (contact: PeerInfo) => Point

  /** The distances of the nearest peers while they are sought. */
  readonly #distances: number[] = []

  /** `pointOf` returns a peer's point in the key space; kad-dht's by default. */
  constructor(pointOf: (contact: PeerInfo) => Point = ({ id }) => pointOfPeer(id)) {
    this.#pointOf = pointOf
  }

  get size(): number {
    return this.#peers.length
  }

  /** Whether there is a peer with this id. */
  has(name: string): boolean {
    return this.#places.has(name)
  }

  /** Adds a peer, or updates its addresses. */
  set(contact: PeerInfo): void {
    const name = contact.id.toString()
    const known = this.#peers[this.#places.get(name) ?? -1]

    if (known !== undefined) {
      known.contact = contact
      return
    }

    const point = this.#pointOf(contact)
    this.#places.set(name, this.#peers.length)
    this.#peers.push({ contact, high: uint32At(point, 0), low: uint32At(point, 4) })
  }

  delete({ id }: PeerInfo): void {
    const name = id.toString()
    const place = this.#places.get(name)
    const last = this.#peers.at(-1)

    if (place !== undefined && last !== undefined) {
      this.#places.set(last.contact.id.toString(), place)
      this.#peers[place] = last
      this.#peers.pop()
      this.#places.delete(name)
    }
  }

  /**
   * The peers nearest to a point, nearest first. Scans all of them: a node knows a few hundred at most, and
   * scanning these takes a few microseconds.
   */
  nearest(target: Point, count: number): PeerInfo[] {
    const high = uint32At(target, 0)
    const low = uint32At(target, 4)
    const nearest: PeerInfo[] = []
    const distances = this.#distances

    for (const peer of this.#peers) {
      const distance = first53Bits(high ^ peer.high, low ^ peer.low)
      let place = nearest.length

      if (place === count) {
        if (distance >= (distances[place - 1] ?? 0)) {
          continue
        }

        place--
      }

      while (place > 0 && distance < (distances[place - 1] ?? 0)) {
        distances[place] = distances[place - 1] ?? 0
        nearest[place] = nearest[place - 1] as PeerInfo
        place--
      }

      distances[place] = distance
      nearest[place] = peer.contact
    }

    return nearest
  }
}
