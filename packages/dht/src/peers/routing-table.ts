import type { PeerId, PeerInfo } from '@libp2p/interface'
import { type Point, pointOfPeer, roughDistance, sharedBits, uint32At } from './key-space.ts'
import { PeerIndex } from './peer-index.ts'
import {
  byDistance,
  type Entry,
  entryToEvict,
  neighbourhoodOf,
  newest,
  type TableEntry,
  wasEstablished
} from './table-rules.ts'

/** Peers of one bucket: Kademlia's k (§2.2 of the paper). */
export const BUCKET_SIZE = 20

/**
 * Leading bits of the key space that peers of one bucket share, as in js-libp2p's kad-dht. Peers that share them
 * with this node have a bucket for each number of shared bits, as in Kademlia.
 */
const BUCKET_BITS = 6

/** Milliseconds after which a responsive peer is established. */
export const ESTABLISHED_MS = 600_000

/** Milliseconds after its last response in which an entry need not be checked. */
export const FRESH_MS = 900_000

/** Failures in a row after which a peer is lost. */
const MAX_FAILURES = 2

export interface RoutingTableInit {
  readonly self: PeerId

  /** Called with each added peer. */
  readonly onFound?: (peer: PeerId) => void

  /** Called with each peer that leaves, or no longer responds. */
  readonly onLost?: (peer: PeerInfo) => void

  /** Milliseconds of a monotonic clock. */
  readonly nowMs?: () => number
}

/**
 * The servers of the network that have responded to this node: its neighbourhood, and some of each part of the key
 * space (Kademlia, §2.2 and §2.4). It lists contacts, not connections.
 *
 * Responsive peers stay. The neighbourhood is that of the established peers united with that of the newcomers, so a
 * flood of new ids displaces no established neighbour. When a bucket is full, the host with most entries makes room
 * for another host, so one host with many ids cannot lock out others.
 */
export class RoutingTable {
  readonly #init: RoutingTableInit
  readonly #nowMs: () => number
  readonly #own: Point
  readonly #entries = new Map<string, Entry>()
  readonly #index = new PeerIndex()
  readonly #nearestFirst: Entry[] = []

  constructor(init: RoutingTableInit) {
    this.#init = init
    this.#nowMs = init.nowMs ?? (() => performance.now())
    this.#own = pointOfPeer(init.self)
  }

  get size(): number {
    return this.#entries.size
  }

  has(peer: PeerId): boolean {
    return this.#entries.has(peer.toString())
  }

  /** The addresses of a peer in the table. */
  get(peer: PeerId): PeerInfo | undefined {
    return this.#entries.get(peer.toString())?.peer
  }

  /** Time at which a peer in the table was added, in ms of the process's clock. */
  sinceMs(peer: PeerId): number | undefined {
    return this.#entries.get(peer.toString())?.sinceMs
  }

  /** Lists the entries, the earliest added first. */
  entries(): Iterable<TableEntry> {
    return this.#entries.values()
  }

  /** Lists the peers nearest to a point, nearest first. */
  nearest(target: Point, count: number): PeerInfo[] {
    return this.#index.nearest(target, count)
  }

  /**
   * Lists the nearest established peers and the nearest newcomers, `count` of each: no flood of
   * newcomers displaces an established neighbour.
   */
  neighbours(count: number): PeerInfo[] {
    const near = [this.#nearPart(true), this.#nearPart(false)]
    return near.flatMap((entries) => entries.slice(0, count).map(({ peer }) => peer))
  }

  /**
   * Adds a peer that has just responded, with the addresses at which it did. Returns whether it is in the table
   * now.
   */
  add(peer: PeerInfo, host: string): boolean {
    const name = peer.id.toString()
    const known = this.#entries.get(name)

    if (known !== undefined) {
      this.#refresh(known, peer, host)
      return true
    }

    if (peer.id.equals(this.#init.self)) {
      return false
    }

    return this.#admit(this.#entryOf(peer, host))
  }

  /** Records a response of a peer, if it is in the table. Returns whether it is. */
  confirm(peer: PeerId): boolean {
    const entry = this.#entries.get(peer.toString())

    if (entry === undefined) {
      return false
    }

    entry.answeredAtMs = this.#nowMs()
    entry.failures = 0
    return true
  }

  /** Counts a failure. A peer that fails repeatedly is lost. */
  countFailure(peer: PeerId): void {
    const entry = this.#entries.get(peer.toString())

    if (entry !== undefined && ++entry.failures >= MAX_FAILURES) {
      this.#remove(entry)
    }
  }

  /** Removes a peer that has left. */
  remove(peer: PeerId): void {
    const entry = this.#entries.get(peer.toString())

    if (entry !== undefined) {
      this.#remove(entry)
    }
  }

  /** Updates the addresses of a peer in the table. */
  relocate(peer: PeerInfo): void {
    const entry = this.#entries.get(peer.id.toString())

    if (entry !== undefined) {
      entry.peer = peer
      this.#index.set(peer)
    }
  }

  /** The entry of a peer's bucket with the oldest response, if that is long ago. */
  stalest(peer: PeerId): PeerInfo | undefined {
    const bucket = this.#bucketOf(pointOfPeer(peer))
    let stalest: Entry | undefined

    for (const entry of this.#entries.values()) {
      if (entry.bucket === bucket && entry.answeredAtMs < (stalest?.answeredAtMs ?? Infinity)) {
        stalest = entry
      }
    }

    return stalest !== undefined && this.#isStale(stalest.answeredAtMs) ? stalest.peer : undefined
  }

  /** The neighbour with the oldest response among those that match, if that is long ago. */
  stalestNeighbour(isCandidate: (peer: PeerId) => boolean): PeerInfo | undefined {
    const near = [...this.#nearPart(true), ...this.#nearPart(false)]
    const stale = near
      .filter(({ answeredAtMs, peer }) => this.#isStale(answeredAtMs) && isCandidate(peer.id))
      .sort((a, b) => a.answeredAtMs - b.answeredAtMs)
    return stale[0]?.peer
  }

  #isStale(answeredAtMs: number): boolean {
    return answeredAtMs < this.#nowMs() - FRESH_MS
  }

  /**
   * The bucket of a point: its first bits or, for points that share these with this node, the number of shared
   * bits. So lookups halve the distance close to their end, too, in networks where many peers share the first bits.
   */
  #bucketOf(point: Point): number {
    const shared = sharedBits(this.#own, point)
    return shared < BUCKET_BITS
      ? uint32At(point, 0) >>> (32 - BUCKET_BITS)
      : 2 ** BUCKET_BITS + shared
  }

  #entryOf(peer: PeerInfo, host: string): Entry {
    const point = pointOfPeer(peer.id)
    const nowMs = this.#nowMs()
    return {
      peer,
      host,
      distance: roughDistance(this.#own, point),
      bucket: this.#bucketOf(point),
      sinceMs: nowMs,
      answeredAtMs: nowMs,
      failures: 0
    }
  }

  #refresh(entry: Entry, peer: PeerInfo, host: string): void {
    entry.answeredAtMs = this.#nowMs()
    entry.failures = 0
    entry.host = host

    if (peer.multiaddrs.length > 0 && peer !== entry.peer) {
      entry.peer = peer
      this.#index.set(peer)
    }
  }

  #admit(entry: Entry): boolean {
    const before = this.#nearPart(false)
    const after = neighbourhoodOf([...before, entry].sort(byDistance))

    if (after.includes(entry)) {
      this.#insert(entry)
      this.#trim(before.find((one) => !after.includes(one)))
      return true
    }

    const rivals = this.#farPart(entry.bucket)
    const leaving = rivals.length < BUCKET_SIZE ? undefined : entryToEvict(rivals, entry)

    if (rivals.length >= BUCKET_SIZE && leaving === undefined) {
      return false
    }

    if (leaving !== undefined) {
      this.#remove(leaving)
    }

    this.#insert(entry)
    return true
  }

  /** Removes one entry of a former neighbour's bucket if that is full. */
  #trim(former: Entry | undefined): void {
    if (former === undefined) {
      return
    }

    const rivals = this.#farPart(former.bucket)

    if (rivals.length > BUCKET_SIZE) {
      this.#remove(entryToEvict(rivals, former) ?? newest(rivals) ?? former)
    }
  }

  /** The neighbourhood of the established peers, or of the others, nearest first. */
  #nearPart(isEstablished: boolean): Entry[] {
    const untilMs = this.#nowMs() - ESTABLISHED_MS
    return neighbourhoodOf(
      this.#nearestFirst.filter((entry) => wasEstablished(entry, untilMs) === isEstablished)
    )
  }

  /** The peers of a bucket that are in no neighbourhood. */
  #farPart(bucket: number): Entry[] {
    const near = new Set([...this.#nearPart(true), ...this.#nearPart(false)])
    return this.#nearestFirst.filter((entry) => entry.bucket === bucket && !near.has(entry))
  }

  #insert(entry: Entry): void {
    this.#entries.set(entry.peer.id.toString(), entry)
    this.#index.set(entry.peer)
    const place = this.#nearestFirst.findIndex(({ distance }) => distance > entry.distance)
    this.#nearestFirst.splice(place < 0 ? this.#nearestFirst.length : place, 0, entry)
    this.#init.onFound?.(entry.peer.id)
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.peer.id.toString())
    this.#index.delete(entry.peer)
    this.#nearestFirst.splice(this.#nearestFirst.indexOf(entry), 1)
    this.#init.onLost?.(entry.peer)
  }
}
