import type { Logger } from '@libp2p/interface'
import type { DHTTime } from '@waggle/record'
import { Alarm } from '../timing/alarm.ts'
import { type Due, DueQueue } from '../timing/due-queue.ts'

/** Values given by `ttl` are stored again when so much of it has passed, with the whole of it ahead. */
const RENEWED_AFTER = 0.5

/** Seconds. Values are stored again at least so often, for peers that have come since. */
const MAX_INTERVAL = 3600

/** Seconds. */
const MIN_INTERVAL = 0.5

/** Something that its publisher keeps alive. */
export interface Publication {
  /** The place that it is stored in: key and subkey. */
  readonly place: string

  /** Seconds from each time that it is stored, or else when it ends. */
  readonly ttl?: number | undefined
  readonly expirationTime?: DHTTime | undefined

  /** Stores it once more. */
  readonly store: () => Promise<unknown>
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
    const dueTime = nextTime(publication, this.#init.clock())

    if (dueTime === undefined) {
      this.#scheduled.delete(publication.place)
    } else {
      this.#scheduled.set({ name: publication.place, dueTime, publication })
      this.#watch()
    }
  }

  /** Whether it was kept alive until now. */
  unpublish(place: string): boolean {
    return this.#scheduled.delete(place)
  }

  /** The same for all places whose name begins so. */
  unpublishAll(prefix: string): void {
    for (const place of this.#scheduled.names()) {
      if (place.startsWith(prefix)) {
        this.#scheduled.delete(place)
      }
    }
  }

  /** Stores again what is due. Called by a timer; resolves when it is done. */
  async runDue(): Promise<void> {
    const due = this.#scheduled.take(this.#init.clock())

    for (const { publication } of due) {
      // Before it is stored: whoever stops it meanwhile has to find it.
      this.publish(publication)
    }

    await Promise.all(
      due.map(({ publication }) =>
        publication.store().catch((error) => this.#init.log('could not republish - %e', error))
      )
    )
    this.#watch()
  }

  stop(): void {
    this.#alarm.stop()
  }

  #watch(): void {
    const time = this.#scheduled.nextTime

    if (time !== undefined) {
      this.#alarm.within((time - this.#init.clock()) * 1000)
    }
  }
}

/** When a publication that was just stored is to be stored again; undefined: never. */
function nextTime({ ttl, expirationTime = 0 }: Publication, now: DHTTime): DHTTime | undefined {
  const left = ttl ?? expirationTime - now
  const interval = Math.min(Math.max(left * RENEWED_AFTER, MIN_INTERVAL), MAX_INTERVAL)
  return ttl === undefined && interval >= left ? undefined : now + interval
}
