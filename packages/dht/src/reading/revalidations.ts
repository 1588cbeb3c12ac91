import type { SubkeyId } from '@waggle/record'
import { BoundedMap } from '../collections/bounded-map.ts'
import { NEVER_FRESH } from '../store/stored-record.ts'
import { Alarm } from '../timing/alarm.ts'
import { type Due, DueQueue } from '../timing/due-queue.ts'

/** A key, or one of its subkeys. */
interface ReadPlace {
  readonly name: string
  readonly key: Uint8Array
  readonly subkey?: SubkeyId | undefined
}

/** A place whose remembered record is to be checked. */
export interface Revalidation extends Due, ReadPlace {
  readonly name: string

  /** Time in ms of the process's clock. A record that has been fresh since then needs no check. */
  readonly knownMs: number
}

export interface RevalidationsInit {
  /** Seconds after which a record in use is checked; infinite: only where something is known to be missing. */
  readonly after: number

  /** Records remembered, so that no more wait than can be in use. */
  readonly maxRecords: number

  /** The process's clock, in ms. */
  readonly nowMs: () => number

  /** Whether a key is still remembered. */
  readonly isCached: (key: Uint8Array, subkey: SubkeyId | undefined) => boolean

  /** Checks all due records, called by the alarm. */
  readonly onDue: () => void
}

/**
 * The remembered records in use, and the times at which a replica is asked for changes: once in a period at most,
 * regardless of the number of reads and failures.
 */
export class Revalidations {
  readonly #init: RevalidationsInit
  readonly #queue = new DueQueue<Revalidation>()
  readonly #checkedMs: BoundedMap<string, number>
  readonly #alarm: Alarm

  constructor(init: RevalidationsInit) {
    this.#init = init
    this.#checkedMs = new BoundedMap({ maxSize: 2 * init.maxRecords })
    this.#alarm = new Alarm(init.onDue)
  }

  /** Keys that wait to be checked. */
  get size(): number {
    return this.#queue.size
  }

  /** Plans the check of a record in use that was fresh at a time: at once if that was too long ago. */
  plan(place: ReadPlace, freshMs: number): void {
    const { name } = place

    if (this.#init.after < Number.POSITIVE_INFINITY && this.#queue.get(name) === undefined) {
      const sinceMs = Math.max(freshMs, this.#checkedMs.get(name) ?? NEVER_FRESH)
      this.#add({ ...place, knownMs: freshMs, dueTime: sinceMs + 1000 * this.#init.after })
    }
  }

  /** Plans the check of an incomplete record at once. */
  expedite(place: ReadPlace): void {
    const nowMs = this.#init.nowMs()
    this.#add({ ...place, knownMs: nowMs, dueTime: nowMs })
  }

  /** Takes the due items out, up to a number. Call {@link await} when these are done. */
  take(most: number): Revalidation[] {
    const nowMs = this.#init.nowMs()
    const due = this.#queue.take(nowMs, most)

    for (const { name } of due) {
      this.#checkedMs.set(name, nowMs)
    }

    return due
  }

  /** Has the alarm ring when something is due. */
  await(): void {
    const { nextTime } = this.#queue

    if (nextTime !== undefined) {
      this.#alarm.within(nextTime - this.#init.nowMs())
    }
  }

  /** Checks nothing any more. */
  stop(): void {
    this.#alarm.stop()
  }

  #add(revalidation: Revalidation): void {
    this.#queue.set(revalidation)

    if (this.#queue.size > 2 * this.#init.maxRecords) {
      this.#queue.retain(({ key, subkey }) => this.#init.isCached(key, subkey))
    }

    this.await()
  }
}
