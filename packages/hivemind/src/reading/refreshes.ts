import { bytesOf, textOf } from '../bytes/latin1.ts'
import type { DHTId } from '../keys/dht-id.ts'
import { Alarm, type Due, DueQueue } from '../waggle-parts.ts'

export interface RefreshesInit {
  /** Seconds before a record's expiration at which it is fetched again; 0: never. */
  readonly beforeExpiry: number
  readonly clock: () => number

  /** Fetches a later version than the one that expires at this time. */
  readonly refresh: (key: DHTId, expirationTime: number) => Promise<void>
}

interface Refresh extends Due {
  readonly expirationTime: number
}

/** Planned refreshes. */
const MAX_PLANNED = 10_000

/** Refreshes started at once, and milliseconds until the next ones. */
const MAX_AT_ONCE = 16
const PAUSE_MS = 100

/** Refreshes records in use shortly before they expire. */
export class Refreshes {
  readonly #init: RefreshesInit
  readonly #queue = new DueQueue<Refresh>()
  readonly #alarm = new Alarm(() => this.#run())

  constructor(init: RefreshesInit) {
    this.#init = init
  }

  get size(): number {
    return this.#queue.size
  }

  /** Plans to fetch a record that has just served a read. */
  plan(key: DHTId, expirationTime: number): void {
    const { beforeExpiry } = this.#init

    if (beforeExpiry > 0 && this.#queue.size < MAX_PLANNED) {
      this.#queue.set({ name: textOf(key), dueTime: expirationTime - beforeExpiry, expirationTime })
      this.#wait()
    }
  }

  stop(): void {
    this.#alarm.stop()
  }

  #wait(): void {
    const { nextTime } = this.#queue

    if (nextTime !== undefined) {
      this.#alarm.within(Math.max((nextTime - this.#init.clock()) * 1000, PAUSE_MS))
    }
  }

  #run(): void {
    for (const { name, expirationTime } of this.#queue.take(this.#init.clock(), MAX_AT_ONCE)) {
      this.#init.refresh(bytesOf(name), expirationTime).catch(() => {
        // The record expires, and the next read fetches it.
      })
    }

    this.#wait()
  }
}
