import type { PeerId, PeerInfo } from '@libp2p/interface'
import { SEARCH_WIDTH } from '../constants.ts'
import {
  type Point,
  pointOfKey,
  pointOfPeer,
  roughDistance,
  sharedBits
} from '../peers/key-space.ts'
import type { PeerBook } from '../peers/peer-book.ts'

/** New peers that wait to be asked whom they know; beyond, the one that waits longest is passed over. */
const MAX_WAITING = 64

/** New peers that are asked at once. */
const PARALLEL_REQUESTS = 2

/** Peers asked at once on the way to this node's neighbours: Kademlia's α (§2.3 of the paper). */
export const ALPHA = 3

/** Rounds on that way: each halves the distance, or more. */
const MAX_ROUNDS = 12

/** Peers far away that one new peer introduces, for each distance. */
const INTRODUCTIONS_PER_DISTANCE = 2

/** Distances that are looked into; beyond, a random key takes too long to find. */
const MAX_DISTANCES = 12

/** Milliseconds between two looks at peers far away. */
const FAR_INTERVAL_MS = 30_000

export interface NetworkMergeInit {
  readonly self: PeerId

  /** Judges peers that others name. */
  readonly peers: Pick<PeerBook, 'isBanned' | 'isUnreachable'>

  /** Asks a peer whom it knows near to a key. */
  readonly ask: (peer: PeerId, key: Uint8Array) => Promise<readonly PeerInfo[]>

  /** Connects to a peer, and so becomes known to it. */
  readonly connect: (contact: PeerInfo) => Promise<void>

  /** Up to so many of the known servers, nearest first to a target. */
  readonly nearest: (target: Point, count: number) => readonly PeerInfo[]
  readonly isKnown: (peer: PeerId) => boolean

  /** Neighbours that this node connects to: no more than it can keep. @default SEARCH_WIDTH */
  readonly neighbourCount?: () => number

  /** Milliseconds that only rise. */
  readonly now: () => number
}

/**
 * Finds this node's neighbours through a new peer (N8i, N10f). A node that joins through a peer, or
 * is dialled by one that it did not know, asks it for the neighbours that it should have. It dials
 * those that it does not know and that are near enough, nearer ones first, and so on. They, being
 * dialled, do the same, until there is nothing new to hear. So networks become one, and a newcomer
 * costs a network O(log n) dials. A node that knows its neighbours already stops after one request.
 */
export class NetworkMerge {
  readonly #init: NetworkMergeInit
  readonly #own: Point
  readonly #waiting: PeerId[] = []
  #asking = 0
  #lookedFarAtMs = Number.NEGATIVE_INFINITY

  constructor(init: NetworkMergeInit) {
    this.#init = init
    this.#own = pointOfPeer(init.self)
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

  /** Asks peers that are connected whether they know any neighbours of this node that it does not. */
  async refresh(connected: readonly PeerId[]): Promise<void> {
    const told = await this.#askAll(connected)
    await this.#connectNeighbours(told.filter((contact) => this.#isNews(contact)))
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
    const told = await this.#ask(peer, keyOf(this.#init.self))
    const unknown = told.filter((contact) => this.#isNews(contact))
    const newNeighbours = this.#neighboursAmong(unknown)

    if (newNeighbours.length === 0) {
      return
    }

    // Most of the near ones are unknown only where this node is new, or the network is.
    const isElsewhere = newNeighbours.length > this.#countNeighbours(told)
    await this.#connectNeighbours(unknown)

    if (isElsewhere && this.#init.now() - this.#lookedFarAtMs >= FAR_INTERVAL_MS) {
      this.#lookedFarAtMs = this.#init.now()
      await this.#lookFar(peer)
    }
  }

  /** Asks the nearest of the unknown peers for nearer ones until there are none, and connects to all that are near. */
  async #connectNeighbours(unknown: readonly PeerInfo[]): Promise<void> {
    const candidates = new Candidates(unknown)

    for (let round = 0; round < MAX_ROUNDS; round++) {
      const next = candidates.unasked(this.#neighboursAmong(candidates.all).slice(0, ALPHA))

      if (next.length === 0) {
        break
      }

      const reached = await this.#connect(next)
      candidates.setAsked(next, reached)
      const told = await this.#askAll(reached.map(({ id }) => id))
      candidates.add(told.filter((contact) => this.#isNews(contact)))
    }

    await this.#connect(candidates.unasked(this.#neighboursAmong(candidates.all)))
  }

  /** What several peers name near to this node; those that do not answer name nobody. */
  async #askAll(peers: readonly PeerId[]): Promise<PeerInfo[]> {
    const told = await Promise.allSettled(
      peers.map((peer) => this.#ask(peer, keyOf(this.#init.self)))
    )
    return told.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }

  /** Neighbours alone would not do: both networks have peers far from us, who do not know each other. */
  async #lookFar(peer: PeerId): Promise<void> {
    const depth = Math.min(this.#depth, MAX_DISTANCES)

    for (let bits = 0; bits < depth; bits++) {
      const told = await this.#ask(peer, this.#keyAt(bits))
      const unknown = told.filter((contact) => this.#isNews(contact))
      await this.#connect(unknown.slice(0, INTRODUCTIONS_PER_DISTANCE))
    }
  }

  /** Leading bits that the farthest of this node's neighbours shares with it. */
  get #depth(): number {
    const farthest = this.#init.nearest(this.#own, this.#neighbourCount).at(-1)
    return farthest === undefined ? 0 : sharedBits(this.#own, pointOfPeer(farthest.id)) + 1
  }

  /** A random key that shares so many leading bits with this node. */
  #keyAt(bits: number): Uint8Array {
    for (;;) {
      const key = crypto.getRandomValues(new Uint8Array(16))

      if (sharedBits(this.#own, pointOfKey(key)) === bits) {
        return key
      }
    }
  }

  /** What a peer names, nearest first. */
  async #ask(peer: PeerId, key: Uint8Array): Promise<readonly PeerInfo[]> {
    const point = pointOfKey(key)
    const told = await this.#init.ask(peer, key)
    return told.filter(({ id }) => !id.equals(this.#init.self)).sort(byDistanceTo(point))
  }

  /** Whether a peer that others name is unknown, and worth a dial. */
  #isNews({ id, multiaddrs }: PeerInfo): boolean {
    const { isKnown, peers } = this.#init
    return multiaddrs.length > 0 && !isKnown(id) && !peers.isUnreachable(id) && !peers.isBanned(id)
  }

  get #neighbourCount(): number {
    return this.#init.neighbourCount?.() ?? SEARCH_WIDTH
  }

  /** Counts those that are neighbours already. */
  #countNeighbours(contacts: readonly PeerInfo[]): number {
    const known = this.#init.nearest(this.#own, this.#neighbourCount)
    return contacts.filter(({ id }) => known.some((one) => one.id.equals(id))).length
  }

  /** Those that would be neighbours if all were known, nearest first. */
  #neighboursAmong(contacts: Iterable<PeerInfo>): PeerInfo[] {
    const known = this.#init.nearest(this.#own, this.#neighbourCount)
    const names = new Set(known.map(({ id }) => id.toString()))
    const others = [...contacts].filter(({ id }) => !names.has(id.toString()))
    return [...known, ...others]
      .sort(byDistanceTo(this.#own))
      .slice(0, this.#neighbourCount)
      .filter((contact) => others.includes(contact))
  }

  /** Says which could be connected to. */
  async #connect(contacts: readonly PeerInfo[]): Promise<PeerInfo[]> {
    const dials = await Promise.allSettled(contacts.map((contact) => this.#init.connect(contact)))
    return contacts.filter((_, index) => dials[index]?.status === 'fulfilled')
  }
}

/** The key whose point is a peer's. */
function keyOf(peer: PeerId): Uint8Array {
  return peer.toMultihash().bytes
}

function byDistanceTo(point: Point): (a: PeerInfo, b: PeerInfo) => number {
  return (a, b) => roughDistance(point, pointOfPeer(a.id)) - roughDistance(point, pointOfPeer(b.id))
}

/** Peers that others have named on the way to this node's neighbours. */
class Candidates {
  readonly #contacts = new Map<string, PeerInfo>()
  readonly #asked = new Set<string>()

  constructor(contacts: readonly PeerInfo[]) {
    this.add(contacts)
  }

  get all(): Iterable<PeerInfo> {
    return this.#contacts.values()
  }

  /** Adds peers. One that is named again stays as it was named first, or out. */
  add(contacts: readonly PeerInfo[]): void {
    for (const contact of contacts) {
      const name = contact.id.toString()

      if (!this.#asked.has(name) && !this.#contacts.has(name)) {
        this.#contacts.set(name, contact)
      }
    }
  }

  unasked(contacts: readonly PeerInfo[]): PeerInfo[] {
    return contacts.filter(({ id }) => !this.#asked.has(id.toString()))
  }

  /** Takes note of who was asked. Those that could not be reached are no candidates any more. */
  setAsked(contacts: readonly PeerInfo[], reached: readonly PeerInfo[]): void {
    for (const contact of contacts) {
      const name = contact.id.toString()
      this.#asked.add(name)

      if (!reached.includes(contact)) {
        this.#contacts.delete(name)
      }
    }
  }
}
