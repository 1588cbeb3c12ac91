import { AbortError, type Logger } from '@libp2p/interface'
import { FIRST_WRITE_RETRY_MS, MAX_WRITE_RETRY_MS, RELAXED_FLUSH_MS } from '../constants.ts'
import { TimeoutError, toError } from '../errors.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { PersistenceHook } from '../store/store-listeners.ts'
import { doubled } from '../timing/doubling.ts'
import { inTime } from '../timing/in-time.ts'
import { runLater } from '../timing/run-later.ts'
import { wait } from '../timing/wait.ts'
import type { Change, Disk, Durability } from './disk.ts'
import { DiskUsage } from './disk-usage.ts'

/** Records of one batch. Bounds the memory of encodings. */
const MAX_BATCH_RECORDS = 1000
const MAX_BATCH_BYTES: number = 1024 * 1024

/** Milliseconds for a write before the disk counts as failing. */
export const HANG_MS = 5000

/** Milliseconds that a stopping node waits for the disk. */
export const MAX_CLOSE_MS = 5000

export interface JournalInit {
  readonly disk: Disk

  /** The store to persist. */
  readonly store: RecordStore
  readonly durability: Durability
  readonly log: Logger

  /** Called when writing starts to fail, and when it works again. */
  readonly onStateChange?: (failure: Error | undefined) => void
}

/**
 * Writes the changes of a store to disk in the background. A change costs the store one name in a set. While one
 * round is being written, the changes of the next gather, so under load one write serves many (group commit), and
 * only the newest state of a record that changes often is written.
 */
export class Journal implements PersistenceHook {
  readonly #init: JournalInit
  #changed = new Set<string>()
  readonly #onDisk = new DiskUsage()

  /** Names in a write that is in flight or has failed, and so may or may not be on disk. */
  readonly #unsure = new Set<string>()
  #round: Promise<void> | undefined

  /** Settles with the round, or rejects when the disk hangs. */
  #acknowledgement: Promise<void> | undefined
  #nextRound: PromiseWithResolvers<void> | undefined
  #cancel: (() => void) | undefined
  #failure: Error | undefined

  /** Failures in a row after the first. */
  #repeats = 0
  #isClosed = false

  constructor(init: JournalInit) {
    this.#init = init
  }

  /** Error of the last write; undefined if it succeeded. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Changed records that are not written yet. */
  get pending(): number {
    return this.#changed.size
  }

  /** Records on disk. */
  get records(): number {
    return this.#onDisk.records
  }

  /** Bytes that they take, encoded. */
  get bytes(): number {
    return this.#onDisk.bytes
  }

  namesOnDisk(): Iterable<string> {
    return this.#onDisk.names()
  }

  /** Records a record that is on disk already. */
  found(name: string, bytes: Uint8Array): void {
    this.#onDisk.set(name, bytes)
  }

  /**
   * Records a change. Ignores records that are neither stored nor on disk, so the number of waiting names is
   * bounded.
   */
  noteChange(name: string): void {
    if (this.#isOfInterest(name)) {
      this.#changed.add(name)
      this.#schedule()
    } else {
      this.#changed.delete(name)
    }
  }

  whenDurable(): Promise<void> | undefined {
    if (this.#init.durability === 'relaxed') {
      return undefined
    }

    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure)
    }

    if (this.#changed.size === 0) {
      return this.#acknowledgement
    }

    this.#nextRound ??= Promise.withResolvers()
    this.#nextRound.promise.catch(() => {})
    return this.#nextRound.promise
  }

  /**
   * Writes the remaining changes, if the disk responds. Resolves with the number of changes that could not be
   * written.
   */
  async close(): Promise<number> {
    this.#isClosed = true
    this.#cancel?.()
    const finished = new AbortController()
    await Promise.race([
      this.#finish().finally(() => finished.abort()),
      wait(MAX_CLOSE_MS, finished.signal, { keepsAlive: true })
    ])
    const left = new Set([...this.#changed, ...this.#unsure]).size
    this.#failure ??= new AbortError('the node was stopped')
    this.#nextRound?.reject(this.#failure)
    return left
  }

  async #finish(): Promise<void> {
    do {
      await this.#round?.catch(() => {})
      await this.#write()
    } while (this.#changed.size > 0 && this.#failure === undefined)

    await this.#init.disk.close()
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#round !== undefined || this.#isClosed) {
      return
    }

    this.#cancel = runLater(this.#delayMs(), () => {
      this.#cancel = undefined
      void this.#write()
    })
  }

  #delayMs(): number {
    if (this.#failure !== undefined) {
      return doubled(FIRST_WRITE_RETRY_MS, this.#repeats, MAX_WRITE_RETRY_MS)
    }

    return this.#init.durability === 'relaxed' ? RELAXED_FLUSH_MS : 0
  }

  /** Writes one round; never rejects. */
  async #write(): Promise<void> {
    const names = this.#changed
    const acknowledged = this.#nextRound
    this.#changed = new Set()
    this.#nextRound = undefined
    this.#round = this.#writeAll(names)
    this.#acknowledgement = inTime(this.#round, HANG_MS)
    this.#acknowledgement.then(acknowledged?.resolve, (error) => {
      // Another batch must wait for this one, which may reach the disk late.
      this.#hang(error)
      acknowledged?.reject(error)
    })

    try {
      await this.#round
      this.#succeed()
    } catch (error) {
      this.#fail(names, toError(error))
    }

    this.#acknowledgement = undefined
    this.#round = undefined

    // A caller may wait for a change that has been undone.
    if (this.#changed.size > 0 || this.#nextRound !== undefined) {
      this.#schedule()
    }
  }

  /** Writes all, and removes written names. On rejection, unwritten names are left. */
  async #writeAll(names: Set<string>): Promise<void> {
    const isSynced = this.#init.durability === 'synced'
    const rest = names.values()

    for (
      let changes = this.#nextChanges(rest);
      changes.length > 0;
      changes = this.#nextChanges(rest)
    ) {
      await this.#writeBatch(changes, isSynced)

      for (const { name } of changes) {
        names.delete(name)
      }
    }

    this.#compactIfWorthwhile()
  }

  async #writeBatch(changes: readonly Change[], isSynced: boolean): Promise<void> {
    for (const { name } of changes) {
      this.#unsure.add(name)
    }

    const records = this.#onDisk.recordsAfter(changes)
    await this.#init.disk.write({ changes, records, isSynced })

    for (const { name, bytes } of changes) {
      this.#unsure.delete(name)
      this.#onDisk.set(name, bytes)
    }
  }

  /** Reads the current records, which may be newer than when their names were noted. */
  #nextChanges(names: Iterator<string, undefined>): Change[] {
    const changes: Change[] = []
    let sizeBytes = 0

    while (changes.length < MAX_BATCH_RECORDS && sizeBytes < MAX_BATCH_BYTES) {
      const { value: name, done } = names.next()

      if (done === true) {
        break
      }

      if (this.#isOfInterest(name)) {
        const bytes = this.#init.store.encodedAsHeld(name)
        changes.push({ name, bytes })
        sizeBytes += bytes?.length ?? 0
      }
    }

    return changes
  }

  #isOfInterest(name: string): boolean {
    return this.#onDisk.has(name) || this.#unsure.has(name) || this.#init.store.has(name)
  }

  #compactIfWorthwhile(): void {
    if (this.#onDisk.isCompactionWorthwhile) {
      this.#onDisk.resetGarbage()
      this.#init.disk
        .compact()
        .catch((error) => this.#init.log.error('could not compact the database - %e', error))
    }
  }

  #succeed(): void {
    this.#repeats = 0

    if (this.#failure !== undefined) {
      this.#failure = undefined
      this.#init.onStateChange?.(undefined)
    }
  }

  /** Refuses writes while a batch neither succeeds nor fails. */
  #hang(error: unknown): void {
    if (error instanceof TimeoutError && this.#failure === undefined) {
      this.#failure = new Error(`the disk has not answered for ${HANG_MS} ms`, { cause: error })
      this.#nextRound?.reject(this.#failure)
      this.#nextRound = undefined
      this.#init.onStateChange?.(this.#failure)
    }
  }

  /**
   * Refuses writes until an attempt succeeds. The failed changes come first then, so that after the
   * first batch the number of records on disk is certain again.
   */
  #fail(names: ReadonlySet<string>, error: Error): void {
    const isNew = this.#failure === undefined
    this.#repeats = isNew ? 0 : this.#repeats + 1
    this.#failure = error
    this.#nextRound?.reject(error)
    this.#nextRound = undefined
    const left = [...names].filter((name) => this.#isOfInterest(name))
    this.#changed = new Set([...left, ...this.#changed])

    if (isNew) {
      this.#init.onStateChange?.(error)
    }
  }
}
