import type { PeerId, PeerInfo } from '@libp2p/interface'
import { SEARCH_WIDTH } from '../constants.ts'
import { pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { PeerBook } from '../peers/peer-book.ts'

/** New peers that wait to be asked whom they know; beyond, the one that waits longest is passed over. */
const MAX_WAITING = 64

/** New peers that are asked at once. */
const PARALLEL_REQUESTS = 2

/** Peers far away that one new peer introduces, for each distance. */
const INTRODUCTIONS_PER_DISTANCE = 2

/** Distances that are looked into: more than networks of a million peers have. */
const MAX_DISTANCES = 20

/** Bits that `roughDistance` tells apart. */
const DISTANCE_BITS = 53

/** Milliseconds between two looks at peers far away. */
const FAR_INTERVAL_MS = 30_000

export interface NetworkMergeInit {
  readonly self: PeerId

  /** Judges peers that others name. */
  readonly peers: Pick<PeerBook, 'isBanned' | 'isUnreachable'>

  /** Asks a connected peer whom it knows near to a target. */
  readonly ask: (peer: PeerId, target: PeerId) => Promise<readonly PeerInfo[]>

  /** Connects to a peer, and so becomes known to it. Rejects where that cannot or must not be. */
  readonly connect: (contact: PeerInfo) => Promise<void>

  /** Up to so many of the known servers, nearest first to a target. */
  readonly nearest: (target: Uint8Array, count: number) => readonly PeerInfo[]
  readonly isKnown: (peer: PeerId) => boolean

  /** Milliseconds that only rise. */
  readonly now: () => number
}

/**
 * Merges two networks when a peer of one connects to a peer of the other (N8i). A node that joins
 * through a peer, or is dialled by one, asks it for the neighbours that it should have, and dials
 * those that it does not know. They, being dialled, do the same, until there is nothing new to hear.
 * In a network that has merged already it ends with the first request.
 */
export class NetworkMerge {
  readonly #init: NetworkMergeInit
  readonly #waiting: PeerId[] = []
  #asking = 0
  #lookedFarAtMs = Number.NEGATIVE_INFINITY

  constructor(init: NetworkMergeInit) {
    this.#init = init
  }

  /** Gets to know, in the background, the peers that a peer knows. */
  discover(peer: PeerId): void {
    this.#waiting.push(peer)

    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()
    }

    if (this.#asking < PARALLEL_REQUESTS) {
      this.#work().catch(() => {
        // What one peer does not tell, another one will.
      })
    }
  }

  async #work(): Promise<void> {
    this.#asking++

    for (let peer = this.#waiting.pop(); peer !== undefined; peer = this.#waiting.pop()) {
      try {
        await this.#learnFrom(peer)
      } catch {
        // It has gone, or does not answer.
      }
    }

    this.#asking--
  }

  async #learnFrom(peer: PeerId): Promise<void> {
    const { self } = this.#init
    const neighbours = await this.#unknownNear(peer, self)

    if (neighbours.length === 0) {
      return
    }

    await this.#connect(neighbours.slice(0, SEARCH_WIDTH))

    if (this.#init.now() - this.#lookedFarAtMs >= FAR_INTERVAL_MS) {
      this.#lookedFarAtMs = this.#init.now()
      await this.#lookFar(peer)
    }
  }

  /** Neighbours alone would not do: both networks have peers far from us, who do not know each other. */
  async #lookFar(peer: PeerId): Promise<void> {
    for (const { id } of this.#oneForEachDistance()) {
      const unknown = await this.#unknownNear(peer, id)
      await this.#connect(unknown.slice(0, INTRODUCTIONS_PER_DISTANCE))
    }
  }

  async #unknownNear(peer: PeerId, target: PeerId): Promise<PeerInfo[]> {
    const { self, ask, isKnown, peers } = this.#init
    const point = pointOfPeer(target)
    const told = await ask(peer, target)
    return told
      .filter(({ id, multiaddrs }) => multiaddrs.length > 0 && !id.equals(self) && !isKnown(id))
      .filter(({ id }) => !peers.isUnreachable(id) && !peers.isBanned(id))
      .sort(
        (a, b) => roughDistance(point, pointOfPeer(a.id)) - roughDistance(point, pointOfPeer(b.id))
      )
  }

  /** One of the known peers for each number of leading bits that it has in common with us. */
  #oneForEachDistance(): PeerInfo[] {
    const own = pointOfPeer(this.#init.self)
    const byDistance = new Map<number, PeerInfo>()

    for (const contact of this.#init.nearest(own, Number.POSITIVE_INFINITY)) {
      const bits = commonBits(roughDistance(own, pointOfPeer(contact.id)))

      if (bits < MAX_DISTANCES && !byDistance.has(bits)) {
        byDistance.set(bits, contact)
      }
    }

    return [...byDistance.values()]
  }

  async #connect(contacts: readonly PeerInfo[]): Promise<void> {
    await Promise.allSettled(contacts.map((contact) => this.#init.connect(contact)))
  }
}

/** How many leading bits two points of a distance below 2 ** 53 have in common. */
function commonBits(distance: number): number {
  return distance === 0 ? DISTANCE_BITS : DISTANCE_BITS - 1 - Math.floor(Math.log2(distance))
}
