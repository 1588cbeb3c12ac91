import type { SubkeyId } from '@waggle/record'
import { type Due, DueQueue } from '../timing/due-queue.ts'

/** A remembered record in use that is to be read again: of a key, or of one of its subkeys. */
export interface DueRead extends Due {
  readonly key: Uint8Array

  /** The only subkey that is in use. @default the whole record is */
  readonly subkey?: SubkeyId | undefined
}

/** What the reads have in common, whenever they are due. */
export interface RereadsInit<T> {
  /** Records remembered. No more are waited for, as no more can be in use. */
  readonly maxRecords: number

  /** Whether a record is still remembered. */
  readonly isCached: (key: Uint8Array, subkey: SubkeyId | undefined) => boolean

  /** Reads a record again. Never rejects. */
  readonly read: (due: T) => Promise<void>
}

export interface DueReadsInit<T> extends RereadsInit<T> {
  /** The clock by which reads are due. */
  readonly now: () => number

  /** Has `run` called at a time of that clock, or earlier. */
  readonly setAlarm: (time: number) => void
}

/** Records read again at once. */
const READS_AT_ONCE = 256

/** The remembered records to be read again, each at its time. */
export class DueReads<T extends DueRead> {
  readonly #init: DueReadsInit<T>
  readonly #queue = new DueQueue<T>()

  constructor(init: DueReadsInit<T>) {
    this.#init = init
  }

  get size(): number {
    return this.#queue.size
  }

  get(name: string): T | undefined {
    return this.#queue.get(name)
  }

  /** Plans a read, instead of the one that was planned of the same record. */
  set(read: T): void {
    const { isCached, maxRecords } = this.#init
    this.#queue.set(read)

    if (this.#queue.size > 2 * maxRecords) {
      this.#queue.retain(({ key, subkey }) => isCached(key, subkey))
    }

    this.#setAlarm()
  }

  /** Reads what is due. Resolves when all of that has been read. */
  async run(): Promise<void> {
    const { now, read } = this.#init
    await Promise.all(this.#queue.take(now(), READS_AT_ONCE).map(read))
    this.#setAlarm()
  }

  #setAlarm(): void {
    const { nextTime } = this.#queue

    if (nextTime !== undefined) {
      this.#init.setAlarm(nextTime)
    }
  }
}
