import { BoundedMap } from '../collections/bounded-map.ts'
import { NEVER_FRESH } from '../store/stored-record.ts'
import { Alarm } from '../timing/alarm.ts'
import { type DueRead, DueReads, type RereadsInit } from './due-reads.ts'

/** A place whose remembered record is to be checked. */
export interface Revalidation extends DueRead {
  /** Time in ms of the process's clock. A record that has been fresh since then needs no check. */
  readonly knownMs: number
}

export interface RevalidationsInit extends RereadsInit<Revalidation> {
  /** Seconds after which a record in use is checked; infinite: only where something is known to be missing. */
  readonly after: number

  /** The process's clock, in ms. */
  readonly nowMs: () => number
}

/** A key, or one of its subkeys, that was read. */
type ReadPlace = Omit<Revalidation, 'dueTime' | 'knownMs'>

/**
 * Compares remembered records in use with a replica's: once in a period at most, regardless of the number of reads
 * and failures.
 */
export class Revalidations {
  readonly #init: RevalidationsInit
  readonly #reads: DueReads<Revalidation>
  readonly #checkedMs: BoundedMap<string, number>
  readonly #alarm = new Alarm(() => void this.run())

  constructor(init: RevalidationsInit) {
    this.#init = init
    this.#reads = new DueReads({
      ...init,
      now: init.nowMs,
      setAlarm: (timeMs) => this.#alarm.within(timeMs - init.nowMs()),
      read: (revalidation) => {
        this.#checkedMs.set(revalidation.name, init.nowMs())
        return init.read(revalidation)
      }
    })
    this.#checkedMs = new BoundedMap({ maxSize: 2 * init.maxRecords })
  }

  /** Records that wait to be checked. */
  get size(): number {
    return this.#reads.size
  }

  /** Plans the check of a record in use that was fresh at a time: at once if that was too long ago. */
  plan(place: ReadPlace, freshMs: number): void {
    const { name } = place

    if (this.#init.after < Number.POSITIVE_INFINITY && this.#reads.get(name) === undefined) {
      const sinceMs = Math.max(freshMs, this.#checkedMs.get(name) ?? NEVER_FRESH)
      this.#reads.set({ ...place, knownMs: freshMs, dueTime: sinceMs + 1000 * this.#init.after })
    }
  }

  /** Plans the check of an incomplete record at once. */
  expedite(place: ReadPlace): void {
    const nowMs = this.#init.nowMs()
    this.#reads.set({ ...place, knownMs: nowMs, dueTime: nowMs })
  }

  /** Checks the records that are due. An alarm calls it; it resolves when all are checked. */
  run(): Promise<void> {
    return this.#reads.run()
  }

  /** Checks nothing any more. */
  stop(): void {
    this.#alarm.stop()
  }
}
