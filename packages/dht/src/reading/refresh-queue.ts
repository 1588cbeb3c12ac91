import type { DHTTime, SubkeyId } from '@waggle/record'
import { BoundedMap } from '../collections/bounded-map.ts'
import { type Due, DueQueue } from '../timing/due-queue.ts'

/** A cached record that is to be fetched again while it lives. */
export interface Refresh extends Due {
  readonly key: Uint8Array

  /** The only subkey that is in use. @default the whole record is */
  readonly subkey?: SubkeyId | undefined

  /** Until when it was good as it was used. */
  readonly expirationTime: DHTTime
}

export interface RefreshQueueInit {
  /** Seconds before its expiration at which a record that is in use is fetched again. */
  readonly leadTime: number

  /** Records remembered. No more are waited for, as no more can be in use. */
  readonly maxRecords: number

  /** Whether it is still remembered. */
  readonly isCached: (key: Uint8Array, subkey: SubkeyId | undefined) => boolean
}

/** The time at which a record was to be fetched again last. */
interface Planned {
  readonly expirationTime: DHTTime
  readonly leadTime: number
}

/** Seconds. Nobody fetches a record again so shortly before it expires. */
const MIN_LEAD_TIME = 0.25

/**
 * The cached records to be fetched again, and the times. A record that turned out to expire no later is fetched
 * again when half of the time left has passed: its publisher may only be late.
 */
export class RefreshQueue {
  readonly #init: RefreshQueueInit
  readonly #queue = new DueQueue<Refresh>()
  readonly #planned: BoundedMap<string, Planned>

  constructor(init: RefreshQueueInit) {
    this.#init = init
    this.#planned = new BoundedMap({ maxSize: 2 * init.maxRecords })
  }

  get size(): number {
    return this.#queue.size
  }

  /** The time at which the next one is due; undefined if there is none. */
  get nextTime(): DHTTime | undefined {
    return this.#queue.nextTime
  }

  /** A record is in use. */
  plan(refresh: Omit<Refresh, 'dueTime'>, now: DHTTime): void {
    const { name, expirationTime } = refresh
    const isQueued = this.#queue.get(name)?.expirationTime === expirationTime
    const leadTime = this.#leadTime(refresh, now)

    if (!isQueued && leadTime >= MIN_LEAD_TIME) {
      this.#add({ ...refresh, dueTime: expirationTime - leadTime })
      this.#planned.set(name, { expirationTime, leadTime })
    }
  }

  /** Takes the due items out, up to a number. */
  take(now: DHTTime, most: number): Refresh[] {
    return this.#queue.take(now, most)
  }

  #leadTime(
    { name, expirationTime }: { name: string; expirationTime: DHTTime },
    now: DHTTime
  ): number {
    const planned = this.#planned.get(name)
    const isAnew = planned?.expirationTime !== expirationTime
    const leadTime = isAnew ? this.#init.leadTime : planned.leadTime / 2
    const left = expirationTime - now
    return leadTime < left ? leadTime : left / 2
  }

  #add(refresh: Refresh): void {
    this.#queue.set(refresh)

    if (this.#queue.size > 2 * this.#init.maxRecords) {
      this.#queue.retain(({ key, subkey }) => this.#init.isCached(key, subkey))
    }
  }
}
