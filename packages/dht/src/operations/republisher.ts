import type { Logger } from '@libp2p/interface'
import type { DHTTime } from '@waggle/record'
import { MANY_UNDER_WAY } from '../constants.ts'
import { Alarm } from '../timing/alarm.ts'
import { type Due, DueQueue } from '../timing/due-queue.ts'
import { mapMany } from '../timing/many.ts'

/** Values given by `ttl` are stored again when so much of it has passed, with the whole of it ahead. */
const RENEWED_AFTER = 0.5

/** What could not be stored again is tried again after so much of that time. */
const RETRIED_AFTER = 0.25

/** Seconds. Values are stored again at least so often, for peers that have come since. */
export const MAX_REPUBLISH_INTERVAL = 3600

/** Seconds. */
export const MIN_REPUBLISH_INTERVAL = 0.5

/** Something that its publisher keeps alive. */
export interface Publication {
  /** The place that it is stored in: key and subkey. */
  readonly place: string

  /** Whose it is. */
  readonly owner: object

  /** Seconds from each time that it is stored, or else when it ends. */
  readonly ttl?: number | undefined
  readonly expirationTime?: DHTTime | undefined

  /** Stores it once more, and tells whether it is there now. */
  readonly store: () => Promise<boolean>
}

interface Scheduled extends Due {
  readonly publication: Publication
}

export interface RepublisherInit {
  readonly clock: () => DHTTime
  readonly log: Logger
}

/** Stores what this node publishes again and again, until it is told to stop (N7). */
export class Republisher {
  readonly #init: RepublisherInit
  readonly #scheduled = new DueQueue<Scheduled>()
  readonly #alarm = new Alarm(() => void this.runDue())

  constructor(init: RepublisherInit) {
    this.#init = init
  }

  /** How much is kept alive. */
  get size(): number {
    return this.#scheduled.size
  }

  /** It has just been stored. Takes the place of what was published there before. */
  publish(publication: Publication): void {
    const interval = intervalOf(publication, this.#init.clock())

    if (interval === undefined) {
      this.#scheduled.delete(publication.place)
    } else {
      this.#schedule(publication, interval)
    }
  }

  /** Whether it was kept alive until now. */
  unpublish(place: string): boolean {
    return this.#scheduled.delete(place)
  }

  /** Gives up what was published, unless something else has taken its place. */
  withdraw(publication: Publication): void {
    if (this.#isCurrent(publication)) {
      this.#scheduled.delete(publication.place)
    }
  }

  /** Lets go of all places whose name begins so. */
  unpublishAll(prefix: string): void {
    this.#scheduled.retain(({ name }) => !name.startsWith(prefix))
  }

  /** Lets go of all that somebody has published. */
  unpublishOwn(owner: object): void {
    this.#scheduled.retain(({ publication }) => publication.owner !== owner)
  }

  /** Stores again what is due. Called by a timer; resolves when it is done. */
  async runDue(): Promise<void> {
    const due = this.#scheduled.take(this.#init.clock())

    for (const { publication } of due) {
      // Before it is stored: whoever stops it meanwhile has to find it.
      this.publish(publication)
    }

    this.#watch()
    await mapMany(due, ({ publication }) => this.#storeAgain(publication), {
      maxItems: MANY_UNDER_WAY,
      maxBytes: Number.POSITIVE_INFINITY,
      bytesOf: () => 0
    })
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
      this.#alarm.within((time - this.#init.clock()) * 1000)
    }
  }
}

/** After how many seconds a publication that was just stored is to be stored again; undefined: never. */
function intervalOf({ ttl, expirationTime = 0 }: Publication, now: DHTTime): number | undefined {
  const left = ttl ?? expirationTime - now
  const interval = Math.min(
    Math.max(left * RENEWED_AFTER, MIN_REPUBLISH_INTERVAL),
    MAX_REPUBLISH_INTERVAL
  )
  return ttl === undefined && interval >= left ? undefined : interval
}
