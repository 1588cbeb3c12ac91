import type { Logger } from '@libp2p/interface'
import type { DHTTime } from '@waggle/record'
import { MANY_UNDER_WAY } from '../constants.ts'
import { ClockAlarm } from '../timing/clock-alarm.ts'
import { type Due, DueQueue } from '../timing/due-queue.ts'
import { mapMany } from '../timing/many.ts'

/** Part of its `ttl` after which a value is stored again with its whole `ttl`. */
const RENEWED_AFTER = 0.5

/** Part of that time after which a failed attempt is repeated. */
const RETRIED_AFTER = 0.25

/** Seconds. Longest time between two attempts, for the sake of peers that have come since. */
export const MAX_REPUBLISH_INTERVAL = 3600

/** Seconds. Shortest time between two attempts. */
export const MIN_REPUBLISH_INTERVAL = 0.5

/** A value that this node republishes. */
export interface Publication {
  /** Its place: key and subkey. */
  readonly place: string

  /** The DHT that published it. */
  readonly owner: object

  /** Seconds that it lives from each attempt on; or else its end. */
  readonly ttl?: number | undefined
  readonly expirationTime?: DHTTime | undefined

  /** Stores it again. Resolves with whether it is stored now. */
  readonly store: () => Promise<boolean>
}

interface Scheduled extends Due {
  readonly publication: Publication
}

export interface RepublisherInit {
  readonly clock: () => DHTTime
  readonly log: Logger
}

/** Stores publications again at intervals, until it is told to stop (N7). */
export class Republisher {
  readonly #init: RepublisherInit
  readonly #scheduled = new DueQueue<Scheduled>()
  readonly #alarm: ClockAlarm

  constructor(init: RepublisherInit) {
    this.#init = init
    this.#alarm = new ClockAlarm(init.clock, () => void this.runDue())
  }

  /** Publications that are republished. */
  get size(): number {
    return this.#scheduled.size
  }

  /** Starts to republish what has just been stored, in place of an earlier publication. */
  publish(publication: Publication): void {
    const interval = intervalOf(publication, this.#init.clock())

    if (interval === undefined) {
      this.#scheduled.delete(publication.place)
    } else {
      this.#schedule(publication, interval)
    }
  }

  /** Ends a publication. Returns whether there was one. */
  unpublish(place: string): boolean {
    return this.#scheduled.delete(place)
  }

  /** Ends a publication, unless another one has taken its place. */
  withdraw(publication: Publication): void {
    if (this.#isCurrent(publication)) {
      this.#scheduled.delete(publication.place)
    }
  }

  /** Ends the publications in all places whose names begin so. */
  unpublishAll(prefix: string): void {
    this.#scheduled.retain(({ name }) => !name.startsWith(prefix))
  }

  /** Ends all publications of one owner. */
  unpublishOwn(owner: object): void {
    this.#scheduled.retain(({ publication }) => publication.owner !== owner)
  }

  /** Stores again all publications that are due. Called by a timer; resolves when it is done. */
  async runDue(): Promise<void> {
    const due = this.#scheduled.take(this.#init.clock())

    for (const { publication } of due) {
      // Scheduled before it is stored, so that it can be stopped in the meantime.
      this.publish(publication)
    }

    this.#watch()
    await mapMany(due, ({ publication }) => this.#storeAgain(publication), {
      maxItems: MANY_UNDER_WAY,
      maxBytes: Number.POSITIVE_INFINITY,
      bytesOf: () => 0
    })
  }

  /** Stores all publications again now, due or not. Resolves when it is done. */
  runAll(): Promise<void> {
    const dueTime = this.#init.clock()

    for (const scheduled of this.#scheduled.items()) {
      this.#scheduled.set({ ...scheduled, dueTime })
    }

    return this.runDue()
  }

  stop(): void {
    this.#alarm.stop()
  }

  async #storeAgain(publication: Publication): Promise<void> {
    if (!(await this.#isStored(publication)) && this.#isCurrent(publication)) {
      const interval = intervalOf(publication, this.#init.clock()) ?? 0
      this.#schedule(publication, Math.max(interval * RETRIED_AFTER, MIN_REPUBLISH_INTERVAL))
    }
  }

  async #isStored({ store }: Publication): Promise<boolean> {
    try {
      return await store()
    } catch (error) {
      this.#init.log('could not republish - %e', error)
      return false
    }
  }

  #isCurrent(publication: Publication): boolean {
    return this.#scheduled.get(publication.place)?.publication === publication
  }

  #schedule(publication: Publication, interval: number): void {
    const dueTime = this.#init.clock() + interval
    this.#scheduled.set({ name: publication.place, dueTime, publication })
    this.#watch()
  }

  #watch(): void {
    const time = this.#scheduled.nextTime

    if (time !== undefined) {
      this.#alarm.at(time)
    }
  }
}

/** Returns the seconds until a publication that was just stored is stored again; undefined: never. */
function intervalOf({ ttl, expirationTime = 0 }: Publication, now: DHTTime): number | undefined {
  const left = ttl ?? expirationTime - now
  const interval = Math.min(
    Math.max(left * RENEWED_AFTER, MIN_REPUBLISH_INTERVAL),
    MAX_REPUBLISH_INTERVAL
  )
  return ttl === undefined && interval >= left ? undefined : interval
}
