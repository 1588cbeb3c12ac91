import type { DHTTime } from '@waggle/record'
import { BoundedMap } from '../collections/bounded-map.ts'
import { ClockAlarm } from '../timing/clock-alarm.ts'
import { type DueRead, DueReads, type RereadsInit } from './due-reads.ts'

/** A cached record that is to be fetched again while it lives. */
export interface Refresh extends DueRead {
  /** Until when it was good as it was used. */
  readonly expirationTime: DHTTime
}

export interface RefreshesInit extends RereadsInit<Refresh> {
  /** Seconds before its expiration at which a record that is in use is fetched again; 0: never. */
  readonly leadTime: number
  readonly clock: () => DHTTime
}

/** The time at which a record was to be fetched again last. */
interface Planned {
  readonly expirationTime: DHTTime
  readonly leadTime: number
}

/** Seconds. Nobody fetches a record again so shortly before it expires. */
const MIN_LEAD_TIME = 0.25

/**
 * Fetches cached records in use again before they expire. A record that turned out to expire no later is fetched
 * again when half of the time left has passed: its publisher may only be late.
 */
export class Refreshes {
  readonly #init: RefreshesInit
  readonly #reads: DueReads<Refresh>
  readonly #planned: BoundedMap<string, Planned>
  readonly #alarm: ClockAlarm

  constructor(init: RefreshesInit) {
    this.#init = init
    this.#alarm = new ClockAlarm(init.clock, () => void this.run())
    this.#reads = new DueReads({
      ...init,
      now: init.clock,
      setAlarm: (time) => this.#alarm.at(time)
    })
    this.#planned = new BoundedMap({ maxSize: 2 * init.maxRecords })
  }

  /** Records that wait to be fetched again. */
  get size(): number {
    return this.#reads.size
  }

  /** Plans to fetch a record that is in use. */
  plan(refresh: Omit<Refresh, 'dueTime'>): void {
    const { name, expirationTime } = refresh
    const isQueued = this.#reads.get(name)?.expirationTime === expirationTime
    const leadTime = this.#leadTime(refresh)

    if (!isQueued && leadTime >= MIN_LEAD_TIME) {
      this.#planned.set(name, { expirationTime, leadTime })
      this.#reads.set({ ...refresh, dueTime: expirationTime - leadTime })
    }
  }

  /** Fetches the records that are due. An alarm calls it; it resolves when all are fetched. */
  run(): Promise<void> {
    return this.#reads.run()
  }

  /** Fetches nothing any more. */
  stop(): void {
    this.#alarm.stop()
  }

  #leadTime({ name, expirationTime }: Omit<Refresh, 'dueTime'>): number {
    const planned = this.#planned.get(name)
    const isAnew = planned?.expirationTime !== expirationTime
    const leadTime = isAnew ? this.#init.leadTime : planned.leadTime / 2
    const left = expirationTime - this.#init.clock()
    return leadTime < left ? leadTime : left / 2
  }
}
