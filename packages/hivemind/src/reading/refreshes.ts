import { bytesOf, textOf } from '../bytes/latin1.ts'
import type { DHTId } from '../keys/dht-id.ts'
import { Alarm, type Due, DueQueue } from '../waggle-parts.ts'

export interface RefreshesInit {
  /** Seconds before its expiration at which a record is fetched again; 0: never. */
  readonly beforeExpiry: number
  readonly clock: () => number

  /** Fetches what expires later than this. */
  readonly refresh: (key: DHTId, expirationTime: number) => Promise<void>
}

interface Refresh extends Due {
  readonly expirationTime: number
}

/** Refreshes that are planned. */
const MAX_PLANNED = 10_000

/** Refreshes that are begun at once, and how soon the next ones are. */
const MAX_AT_ONCE = 16
const PAUSE_MS = 100

/** Records that are in use, to be fetched again shortly before they expire. */
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

  /** Plans to fetch a record that has just answered a read. */
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
        // It expires, and the next read finds out.
      })
    }

    this.#wait()
  }
}
