import type { PeerId, PeerInfo } from '@libp2p/interface'
import { SEARCH_WIDTH } from '../constants.ts'
import {
  byDistanceTo,
  type Point,
  pointOfKey,
  pointOfPeer,
  sharedBits
} from '../peers/key-space.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import { Candidates } from './candidates.ts'

/** New peers waiting for a request for their neighbours. When full, the oldest is dropped. */
const MAX_WAITING = 64

/** New peers queried at once. */
const PARALLEL_REQUESTS = 2

/** Peers queried at once in a round: Kademlia's α (§2.3 of the paper). */
export const ALPHA = 3

/** Rounds towards this node's neighbours. Each at least halves the distance. */
const MAX_ROUNDS = 12

/** Distant peers connected to per distance when networks meet. */
const INTRODUCTIONS_PER_DISTANCE = 2

/** Known servers up to which a node that meets a network joins it, and brings none of its own. */
const MAX_KNOWN_TO_NEWCOMER = ALPHA

/** Distances searched. A random key at a smaller distance takes too long to find. */
const MAX_DISTANCES = 12

/** Milliseconds between two searches for distant peers. */
const FAR_INTERVAL_MS = 30_000

export interface NetworkMergeInit {
  readonly self: PeerId

  /** Judges peers in responses. */
  readonly peers: Pick<PeerBook, 'isBanned' | 'isUnreachable'>

  /** Asks a peer for the peers nearest to a key. */
  readonly ask: (peer: PeerId, key: Uint8Array) => Promise<readonly PeerInfo[]>

  /** Connects to a peer, which thereby learns of this node. */
  readonly connect: (contact: PeerInfo) => Promise<void>

  /** Returns up to `count` known servers, nearest to the target first. */
  readonly nearest: (target: Point, count: number) => readonly PeerInfo[]
  readonly isKnown: (peer: PeerId) => boolean

  /** Neighbours that this node connects to, as many as it can keep. @default SEARCH_WIDTH */
  readonly neighbourCount?: () => number

  /** Returns milliseconds of a clock that never goes back. */
  readonly now: () => number
}

/**
 * Finds this node's neighbours through a new peer (N8i, N10f). A node that joins through a peer, or that an
 * unknown peer dials, queries that peer for its own neighbours, and dials the unknown ones, nearest first. Each
 * dialled peer does the same, until no response holds an unknown neighbour. Thus two networks merge, and a
 * newcomer costs a network O(log n) dials. A node that knows its neighbours stops after one request.
 */
export class NetworkMerge {
  readonly #init: NetworkMergeInit
  readonly #own: Point
  readonly #waiting: PeerId[] = []
  #asking = 0
  #lookedFarAtMs = Number.NEGATIVE_INFINITY
  #filling: Promise<void> | undefined

  /** The peers to ask for others at empty distances, while this was not done. */
  #toAsk: readonly PeerId[] | undefined

  constructor(init: NetworkMergeInit) {
    this.#init = init
    this.#own = pointOfPeer(init.self)
  }

  /** Finds neighbours through a peer, in the background. */
  discover(peer: PeerId): void {
    this.#waiting.push(peer)

    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()
    }

    if (this.#asking < PARALLEL_REQUESTS) {
      this.#work().catch(() => {
        // Another peer's response will contain the same neighbours.
      })
    }
  }

  /** Asks connected peers for neighbours that this node does not know. */
  async refresh(connected: readonly PeerId[]): Promise<void> {
    const closer = await this.#askAll(connected, keyOf(this.#init.self))
    await this.#connectNeighbours(closer)
  }

  /**
   * Connects to a peer at each distance beyond the neighbours at which this node knows none: without it, a lookup could
   * end before the keys there. More are met by use. Asks some connected peers, and then neighbours, which are as far from
   * those keys. If it is under way, it begins again, because neighbours may have changed.
   */
  fillDistances(asked: readonly PeerId[]): Promise<void> {
    this.#toAsk = asked
    this.#filling ??= this.#fillAll().finally(() => {
      this.#filling = undefined
    })
    return this.#filling
  }

  async #work(): Promise<void> {
    this.#asking++

    for (let peer = this.#waiting.pop(); peer !== undefined; peer = this.#waiting.pop()) {
      try {
        await this.#learnFrom(peer)
      } catch {
        // The peer has disconnected or does not respond.
      }
    }

    this.#asking--
  }

  async #learnFrom(peer: PeerId): Promise<void> {
    const closer = await this.#ask(peer, keyOf(this.#init.self))
    const unknown = closer.filter((contact) => this.#isNews(contact))

    if (!this.#areNear(unknown)) {
      return
    }

    const isNewcomer =
      this.#init.nearest(this.#own, MAX_KNOWN_TO_NEWCOMER + 1).length <= MAX_KNOWN_TO_NEWCOMER
    await this.#connectNeighbours(unknown)

    // Most are unknown only if the peer belongs to another network, or this node is new.
    const isElsewhere = 2 * unknown.length > closer.length

    if (isElsewhere && this.#init.now() - this.#lookedFarAtMs >= FAR_INTERVAL_MS) {
      this.#lookedFarAtMs = this.#init.now()
      await (isNewcomer ? this.fillDistances([peer]) : this.#introduce(peer))
    }
  }

  /** Asks the nearest unknown peers for nearer ones until none is left, and connects to all that are near. */
  async #connectNeighbours(unknown: readonly PeerInfo[]): Promise<void> {
    const candidates = new Candidates(unknown)

    for (let round = 0; round < MAX_ROUNDS; round++) {
      const next = candidates.unasked(this.#neighboursAmong(candidates.all).slice(0, ALPHA))

      if (next.length === 0) {
        break
      }

      const reached = await this.#connect(next)
      candidates.setAsked(next, reached)
      candidates.add(
        await this.#askAll(
          reached.map(({ id }) => id),
          keyOf(this.#init.self)
        )
      )
    }

    await this.#connect(candidates.unasked(this.#neighboursAmong(candidates.all)))
  }

  /** Collects the unknown peers near a key from several peers' responses. Failed requests are skipped. */
  async #askAll(peers: readonly PeerId[], key: Uint8Array): Promise<PeerInfo[]> {
    const closer = await Promise.allSettled(peers.map((peer) => this.#ask(peer, key)))
    return closer
      .flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
      .filter((contact) => this.#isNews(contact))
  }

  /** Connects to distant peers, too: the networks' other peers would not find each other through neighbours alone. */
  async #introduce(peer: PeerId): Promise<void> {
    for (const bits of upTo(this.#depth + 1)) {
      const unknown = await this.#askAll([peer], this.#keyAt(bits))
      await this.#connect(unknown.slice(0, INTRODUCTIONS_PER_DISTANCE))
    }
  }

  async #fillAll(): Promise<void> {
    while (this.#toAsk !== undefined) {
      const asked = this.#toAsk
      this.#toAsk = undefined
      await this.#fillEach(asked)
    }
  }

  async #fillEach(asked: readonly PeerId[]): Promise<void> {
    for (const bits of upTo(this.#depth)) {
      const key = this.#keyAt(bits)

      if (!this.#knowsAt(bits, key) && !(await this.#fill(bits, key, asked))) {
        const neighbours = this.#init.nearest(this.#own, ALPHA).map(({ id }) => id)
        const others = neighbours.filter((peer) => !asked.some((other) => other.equals(peer)))
        await this.#fill(bits, key, others)
      }
    }
  }

  /** Connects to one of the peers at a distance from this node that others name. Returns whether it did. */
  async #fill(bits: number, key: Uint8Array, asked: readonly PeerId[]): Promise<boolean> {
    const named = await this.#askAll(asked, key)
    const found = named.filter(({ id }) => sharedBits(this.#own, pointOfPeer(id)) === bits)

    for (const contact of found.slice(0, ALPHA)) {
      const reached = await this.#connect([contact])

      if (reached.length > 0) {
        return true
      }
    }

    return false
  }

  /** Whether this node knows a peer at the distance of a key. */
  #knowsAt(bits: number, key: Uint8Array): boolean {
    const [known] = this.#init.nearest(pointOfKey(key), 1)
    return known !== undefined && sharedBits(this.#own, pointOfPeer(known.id)) === bits
  }

  /** Leading bits that this node shares with the farthest of its neighbours. */
  get #depth(): number {
    const farthest = this.#init.nearest(this.#own, this.#neighbourCount).at(-1)
    return farthest === undefined ? 0 : sharedBits(this.#own, pointOfPeer(farthest.id))
  }

  /** Makes a random key that shares exactly `bits` leading bits with this node. */
  #keyAt(bits: number): Uint8Array {
    for (;;) {
      const key = crypto.getRandomValues(new Uint8Array(16))

      if (sharedBits(this.#own, pointOfKey(key)) === bits) {
        return key
      }
    }
  }

  /** Asks a peer for the peers nearest to a key, nearest first. */
  async #ask(peer: PeerId, key: Uint8Array): Promise<readonly PeerInfo[]> {
    const point = pointOfKey(key)
    const closer = await this.#init.ask(peer, key)
    return closer.filter(({ id }) => !id.equals(this.#init.self)).sort(byDistanceTo(point))
  }

  /** Whether a peer in a response is unknown and may be dialled. */
  #isNews({ id, multiaddrs }: PeerInfo): boolean {
    const { isKnown, peers } = this.#init
    return multiaddrs.length > 0 && !isKnown(id) && !peers.isUnreachable(id) && !peers.isBanned(id)
  }

  get #neighbourCount(): number {
    return this.#init.neighbourCount?.() ?? SEARCH_WIDTH
  }

  /** Whether any of the peers would be a neighbour. */
  #areNear(contacts: readonly PeerInfo[]): boolean {
    return this.#neighboursAmong(contacts).length > 0
  }

  /** Lists the peers that would be neighbours if all were known, nearest first. */
  #neighboursAmong(contacts: Iterable<PeerInfo>): PeerInfo[] {
    const known = this.#init.nearest(this.#own, this.#neighbourCount)
    const names = new Set(known.map(({ id }) => id.toString()))
    const others = [...contacts].filter(({ id }) => !names.has(id.toString()))
    return [...known, ...others]
      .sort(byDistanceTo(this.#own))
      .slice(0, this.#neighbourCount)
      .filter((contact) => others.includes(contact))
  }

  /** Connects to peers, and returns the reachable ones. */
  async #connect(contacts: readonly PeerInfo[]): Promise<PeerInfo[]> {
    const dials = await Promise.allSettled(contacts.map((contact) => this.#init.connect(contact)))
    return contacts.filter((_, index) => dials[index]?.status === 'fulfilled')
  }
}

/** The distances farther than one, as leading bits that two points share: at most those that are searched. */
function upTo(bits: number): Iterable<number> {
  return Array.from({ length: Math.min(bits, MAX_DISTANCES) }).keys()
}

/** Returns the key at a peer's own point. */
function keyOf(peer: PeerId): Uint8Array {
  return peer.toMultihash().bytes
}
