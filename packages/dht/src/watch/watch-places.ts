import { Tally } from '../collections/tally.ts'
import type { WatchRole } from './watch-messages.ts'

/** A stream whose peer watches keys. */
export interface PlaceHolder {
  readonly peer: string

  /** Lets go of the key of this role, or of any, that was renewed longest ago, and frees its place. */
  releaseOldest(role?: WatchRole): void
}

export interface WatchPlacesInit {
  readonly max: number
  readonly maxPerPeer: number

  /** The role of all watches that take these places. @default any */
  readonly role?: WatchRole
}

/**
 * The places for watched keys, one for each key of each stream. Any peer may use free ones. When there
 * are none, the peer with most gives one to a peer with fewer, so that in the end all have as many.
 */
export class WatchPlaces {
  readonly #init: WatchPlacesInit
  readonly #ofHolder = new Tally<PlaceHolder>()
  readonly #ofPeer = new Tally<string>()
  #size = 0

  constructor(init: WatchPlacesInit) {
    this.#init = init
  }

  /** Places taken. */
  get size(): number {
    return this.#size
  }

  /** Peers that hold places. */
  get peers(): number {
    return this.#ofPeer.size
  }

  has(peer: string): boolean {
    return this.#ofPeer.has(peer)
  }

  /** Takes a place. Returns whether there was one. */
  take(holder: PlaceHolder): boolean {
    const count = this.#ofPeer.get(holder.peer)

    if (count >= this.#init.maxPerPeer || (this.#isFull && !this.#makeRoom(count))) {
      return false
    }

    this.#change(holder, 1)
    return true
  }

  /** Frees a place that was taken. */
  free(holder: PlaceHolder): void {
    this.#change(holder, -1)
  }

  get #isFull(): boolean {
    return this.#size >= this.#init.max
  }

  /** Has the peer with most give up a place for one that would not have more than it then. */
  #makeRoom(count: number): boolean {
    const [peer, most] = this.#ofPeer.largest()

    if (most <= count + 1) {
      return false
    }

    const ofPeer = [...this.#ofHolder].filter(([holder]) => holder.peer === peer)
    const [largest] = ofPeer.sort(([, a], [, b]) => b - a)
    largest?.[0].releaseOldest(this.#init.role)
    return !this.#isFull
  }

  #change(holder: PlaceHolder, by: 1 | -1): void {
    this.#size += by
    this.#ofHolder.add(holder, by)
    this.#ofPeer.add(holder.peer, by)
  }
}
