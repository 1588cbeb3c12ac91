import type { DHTTime } from '@waggle/record'
import { MANY_UNDER_WAY } from '../constants.ts'
import { SUBKEY_SEPARATOR } from '../store/place-name.ts'
import { ClockAlarm } from '../timing/clock-alarm.ts'
import { doubled } from '../timing/doubling.ts'
import { type Due, DueQueue } from '../timing/due-queue.ts'
import { mapMany } from '../timing/many.ts'

/** Part of its `ttl` after which a value is stored again with its whole `ttl`. */
const RENEWED_AFTER = 0.5

/** Seconds. Longest time between two attempts, for the sake of peers that have come since. */
export const MAX_RENEWAL_INTERVAL = 3600

/** Seconds. Shortest time between two attempts, unless a peer connects. */
export const MIN_RENEWAL_INTERVAL = 0.5

/** Seconds until the first retry; they double with each further failure. */
export const FIRST_RETRY_PAUSE = 0.5

/** Seconds. Longest time between two retries. */
export const MAX_RETRY_PAUSE = 60

/** Part of the time to the next renewal that a retry waits at most, so that it comes before the expiration. */
const RETRIED_AFTER = 0.25

/** The times and the place of a value that is kept alive. */
export interface KeptValue {
  /** Key and subkey. */
  readonly place: string

  /** The DHT that published it. */
  readonly owner: object

  /** Seconds that it lives after each attempt. */
  readonly ttl: number

  /** Stores it. */
  attempt(): Promise<void>

  /** A peer has connected. */
  onPeer(): void

  /** Keeps it alive no longer. */
  end(): void
  stop(options?: { readonly timeoutMs?: number }): Promise<void>
}

interface DueAttempt extends Due {
  readonly publication: KeptValue
}

/** A publication among the others of its node. */
interface Registration {
  /** A unique name. */
  readonly name: string

  /** The number of its write: earlier writes give way to a held one. */
  order: number
}

/** The values that this node keeps alive, and the times of their next writes (N7). */
export class Publications {
  readonly #clock: () => DHTTime
  readonly #known = new Map<KeptValue, Registration>()
  readonly #alarm: ClockAlarm
  readonly #due = new DueQueue<DueAttempt>((time) => this.#alarm.at(time))
  #lastOrder = 0
  #arrival = Promise.withResolvers<void>()

  constructor(clock: () => DHTTime) {
    this.#clock = clock
    this.#alarm = new ClockAlarm(clock, () => void this.runDue())
  }

  /** Publications that are kept alive. */
  get size(): number {
    return this.#known.size
  }

  /** Numbers a write that begins now. */
  nextOrder(): number {
    return ++this.#lastOrder
  }

  add(publication: KeptValue): void {
    const order = this.nextOrder()
    this.#known.set(publication, { name: String(order), order })
  }

  /** Takes note that a publication has another value from now on. */
  renumber(publication: KeptValue): void {
    const known = this.#known.get(publication)

    if (known !== undefined) {
      known.order = this.nextOrder()
    }
  }

  orderOf(publication: KeptValue): number {
    return this.#known.get(publication)?.order ?? 0
  }

  delete(publication: KeptValue): void {
    const known = this.#known.get(publication)

    if (known !== undefined) {
      this.#known.delete(publication)
      this.#due.delete(known.name)
    }
  }

  /** A write of this node is held: ends the publications in its place that began before it. */
  supersede(place: string, order: number): void {
    this.#endThose((publication) => publication.place === place, order)
  }

  /** A deletion of this node is held: ends the publications in its place and in the places of its subkeys. */
  supersedeAll(place: string, order: number): void {
    const prefix = place + SUBKEY_SEPARATOR
    this.#endThose((one) => one.place === place || one.place.startsWith(prefix), order)
  }

  /** Ends the publications of one owner. */
  endOwn(owner: object): void {
    this.#endThose((publication) => publication.owner === owner, Number.POSITIVE_INFINITY)
  }

  /** Lists the publications of one owner. */
  ofOwner(owner: object): KeptValue[] {
    return [...this.#known.keys()].filter((publication) => publication.owner === owner)
  }

  /** Plans the next write of a held or beaten publication. */
  renewLater(publication: KeptValue): void {
    this.#schedule(publication, renewalInterval(publication.ttl))
  }

  /** Plans a retry after this many failures in a row. */
  retryLater(publication: KeptValue, failures: number): void {
    const most = renewalInterval(publication.ttl) * RETRIED_AFTER
    this.#schedule(
      publication,
      Math.max(Math.min(retryPause(failures), most), MIN_RENEWAL_INTERVAL)
    )
  }

  /** A peer has connected: tries at once what nobody has taken. */
  onPeer(): void {
    this.#arrival.resolve()
    this.#arrival = Promise.withResolvers()

    for (const publication of this.#known.keys()) {
      publication.onPeer()
    }
  }

  /** Resolves when the next peer connects. */
  whenPeer(): Promise<void> {
    return this.#arrival.promise
  }

  /** Stores again all that is due. Called by a timer; resolves when it is done. */
  async runDue(): Promise<void> {
    const due = this.#due.take(this.#clock())
    await mapMany(due, ({ publication }) => publication.attempt(), { maxItems: MANY_UNDER_WAY })
  }

  /** Stores all publications again now, due or not. Resolves when it is done. */
  async runAll(): Promise<void> {
    const dueTime = this.#clock()

    for (const [publication, { name }] of this.#known) {
      this.#due.set({ name, dueTime, publication })
    }

    await this.runDue()
  }

  stop(): void {
    this.#alarm.stop()
  }

  #endThose(isMeant: (publication: KeptValue) => boolean, before: number): void {
    for (const [publication, { order }] of this.#known) {
      if (order < before && isMeant(publication)) {
        publication.end()
      }
    }
  }

  #schedule(publication: KeptValue, interval: number): void {
    const known = this.#known.get(publication)

    if (known !== undefined) {
      this.#due.set({ name: known.name, dueTime: this.#clock() + interval, publication })
    }
  }
}

/** Returns the seconds until the retry after this many failures in a row. */
export function retryPause(failures: number): number {
  return doubled(FIRST_RETRY_PAUSE, failures, MAX_RETRY_PAUSE)
}

/** Seconds from a write to the next. */
function renewalInterval(ttl: number): number {
  return Math.min(Math.max(ttl * RENEWED_AFTER, MIN_RENEWAL_INTERVAL), MAX_RENEWAL_INTERVAL)
}
