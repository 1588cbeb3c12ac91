import type { PeerInfo } from '@libp2p/interface'
import type { Point } from '../peers/key-space.ts'
import { PeerIndex } from '../peers/peer-index.ts'

/** A peer that is there. */
export interface Present {
  readonly contact: PeerInfo

  /** Since when, in ms of the process's clock. One that came back is there since then. */
  readonly sinceMs: number
}

/** A peer that was there when records were looked at. */
interface Settled extends Present {
  /** When it had been given what it should hold. */
  readonly readyMs: number
}

/** Who was there at one moment, and since when. */
export class Presence {
  readonly #peers = new Map<string, Settled>()
  readonly #index = new PeerIndex()

  constructor(peers: Iterable<Present>) {
    for (const present of peers) {
      this.add(present)
    }
  }

  add(present: Present, readyMs: number = present.sinceMs): void {
    this.#peers.set(present.contact.id.toString(), { ...present, readyMs })
    this.#index.set(present.contact)
  }

  delete(name: string): void {
    const present = this.#peers.get(name)

    if (present !== undefined) {
      this.#peers.delete(name)
      this.#index.delete(present.contact)
    }
  }

  has(name: string): boolean {
    return this.#peers.has(name)
  }

  get(name: string): Present | undefined {
    return this.#peers.get(name)
  }

  /** Never, for those that are not there. */
  sinceMs(name: string): number {
    return this.#peers.get(name)?.sinceMs ?? Number.POSITIVE_INFINITY
  }

  /** When it had been given what it should hold; never, for those that are not there. */
  readyMs(name: string): number {
    return this.#peers.get(name)?.readyMs ?? Number.POSITIVE_INFINITY
  }

  /** The names of those nearest to a point, nearest first. */
  nearest(target: Point, count: number): string[] {
    return this.#index.nearest(target, count).map(({ id }) => id.toString())
  }

  /** Those of whom the other knows nothing. */
  missingIn(other: Presence): string[] {
    return [...this.#peers.keys()].filter((name) => !other.has(name))
  }

  /** Forgets those that have left since and come back. */
  forgetReturned(later: Presence): void {
    for (const [name, { sinceMs }] of this.#peers) {
      if (later.has(name) && later.sinceMs(name) !== sinceMs) {
        this.delete(name)
      }
    }
  }

  /** The same but for some. */
  without(names: ReadonlySet<string>): Presence {
    return new Presence([...this.#peers].flatMap(([name, one]) => (names.has(name) ? [] : [one])))
  }

  /** Says since when they are ready: those that were before since then, others since now. */
  settle(before: Presence, nowMs: number): void {
    for (const [name, present] of this.#peers) {
      this.add(present, before.has(name) ? before.readyMs(name) : nowMs)
    }
  }
}
