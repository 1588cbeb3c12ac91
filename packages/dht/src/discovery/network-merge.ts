import type { PeerId, PeerInfo } from '@libp2p/interface'
import { SEARCH_WIDTH } from '../constants.ts'
import { pointOfPeer, roughDistance } from '../peers/key-space.ts'

/** New peers that wait to be asked whom they know; beyond, the one that waits longest is passed over. */
const MAX_WAITING = 64

/** New peers that are asked at once. */
const PARALLEL_ASKS = 2

/** How many peers far away one new peer introduces us to, for each distance. */
const INTRODUCTIONS_PER_DISTANCE = 2

/** Distances that are looked into: more than networks of a million peers have. */
const MAX_DISTANCES = 20

/** What `roughDistance` tells apart. */
const DISTANCE_BITS = 53

/** How long we leave it at our neighbours after we also looked far away. */
const FAR_INTERVAL_MS = 30_000

/** How long a peer that could not be reached is passed over. */
const UNREACHABLE_MS = 300_000

/** How many of these are remembered. */
const MAX_UNREACHABLE = 1000

export interface NetworkMergeInit {
  readonly self: PeerId

  /** Asks a connected peer whom it knows near to a target. */
  readonly ask: (peer: PeerId, target: PeerId) => Promise<readonly PeerInfo[]>

  /** Connects to a peer, and so becomes known to it. */
  readonly connect: (contact: PeerInfo) => Promise<void>

  /** Up to so many of the known servers, nearest first to a target. */
  readonly nearest: (target: Uint8Array, count: number) => readonly PeerInfo[]
  readonly isKnown: (peer: PeerId) => boolean

  /** Milliseconds that only rise. */
  readonly now: () => number
}

/**
 * Makes networks grow together when one peer of each meets one of the other (N8i). Who joins through
 * a peer, and who is dialled by one, asks it for the neighbours that it should have, and dials those
 * that it does not know. They, being dialled, do the same, and so on, until there is nothing new to
 * hear. In a network that has grown together already it ends with the first question.
 */
export class NetworkMerge {
  readonly #init: NetworkMergeInit
  readonly #waiting: PeerId[] = []
  /** Since when, by peer. */
  readonly #unreachable = new Map<string, number>()
  #asking = 0
  #lookedFarAtMs = Number.NEGATIVE_INFINITY

  constructor(init: NetworkMergeInit) {
    this.#init = init
  }

  /** Gets to know, in the background, those whom a peer knows. */
  discover(peer: PeerId): void {
    this.#waiting.push(peer)

    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()
    }

    if (this.#asking < PARALLEL_ASKS) {
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
      const strangers = await this.#unknownNear(peer, id)
      await this.#connect(strangers.slice(0, INTRODUCTIONS_PER_DISTANCE))
    }
  }

  async #unknownNear(peer: PeerId, target: PeerId): Promise<PeerInfo[]> {
    const { self, ask, isKnown } = this.#init
    const point = pointOfPeer(target)
    const told = await ask(peer, target)
    return told
      .filter(({ id, multiaddrs }) => multiaddrs.length > 0 && !id.equals(self) && !isKnown(id))
      .filter(({ id }) => !this.#isUnreachable(id))
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
    await Promise.all(
      contacts.map((contact) =>
        this.#init.connect(contact).catch(() => this.#rememberUnreachable(contact.id))
      )
    )
  }

  #isUnreachable(peer: PeerId): boolean {
    const sinceMs = this.#unreachable.get(peer.toString())
    return sinceMs !== undefined && this.#init.now() - sinceMs < UNREACHABLE_MS
  }

  #rememberUnreachable(peer: PeerId): void {
    this.#unreachable.delete(peer.toString())
    this.#unreachable.set(peer.toString(), this.#init.now())
    const [oldest] = this.#unreachable.keys()

    if (this.#unreachable.size > MAX_UNREACHABLE && oldest !== undefined) {
      this.#unreachable.delete(oldest)
    }
  }
}

/** How many leading bits two points of a distance below 2 ** 53 have in common. */
function commonBits(distance: number): number {
  return distance === 0 ? DISTANCE_BITS : DISTANCE_BITS - 1 - Math.floor(Math.log2(distance))
}
