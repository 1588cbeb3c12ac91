import { AbortError, type Logger } from '@libp2p/interface'
import { FIRST_WRITE_RETRY_MS, MAX_WRITE_RETRY_MS, RELAXED_FLUSH_MS } from '../constants.ts'
import { toError } from '../errors.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { PersistenceHook } from '../store/store-listeners.ts'
import { cancellable } from '../timing/run-later.ts'
import type { Change, Disk, Durability } from './disk.ts'
import { DiskUsage } from './disk-usage.ts'

/** What goes to disk at once, at least one record: bounds the memory that encodings take meanwhile. */
const MAX_BATCH_RECORDS = 1000
const MAX_BATCH_BYTES: number = 1024 * 1024

export interface JournalInit {
  readonly disk: Disk

  /** What is to be on disk. */
  readonly store: RecordStore
  readonly durability: Durability
  readonly log: Logger

  /** Hears when writing begins to fail, and when it works again. */
  readonly onStateChange?: (failure: Error | undefined) => void
}

/**
 * Brings the changes of a store to disk, behind its back: a change costs it the entry of a name in a
 * set. While one round is being written, the changes of the next gather, so that under load one
 * write to disk serves many (group commit), and of a record that changes often only the newest
 * state is written.
 */
export class Journal implements PersistenceHook {
  readonly #init: JournalInit
  #changed = new Set<string>()
  readonly #onDisk = new DiskUsage()

  /** Names in a write that is under way or has failed: whether it got to the disk nobody knows. */
  readonly #unsure = new Set<string>()
  #round: Promise<void> | undefined
  #nextRound: PromiseWithResolvers<void> | undefined
  #cancel: (() => void) | undefined
  #failure: Error | undefined
  #retryMs = FIRST_WRITE_RETRY_MS
  #isClosed = false

  constructor(init: JournalInit) {
    this.#init = init
  }

  /** Why the last attempt to write failed; undefined when it did not. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** How many records have changed and are not yet written. */
  get pending(): number {
    return this.#changed.size
  }

  /** How many records are on disk. */
  get records(): number {
    return this.#onDisk.records
  }

  /** How many bytes they take, encoded. */
  get bytes(): number {
    return this.#onDisk.bytes
  }

  namesOnDisk(): Iterable<string> {
    return this.#onDisk.names()
  }

  /** Learns what is on disk already. */
  found(name: string, bytes: Uint8Array): void {
    this.#onDisk.set(name, bytes)
  }

  /** What is neither held nor on disk is of no interest: so no more names wait than there are records. */
  changed(name: string): void {
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
      return this.#round
    }

    this.#nextRound ??= Promise.withResolvers()
    this.#nextRound.promise.catch(() => {})
    return this.#nextRound.promise
  }

  /** Writes what is left; gives back how many changes could not be written. */
  async close(): Promise<number> {
    this.#isClosed = true
    this.#cancel?.()

    do {
      await this.#round?.catch(() => {})
      await this.#write()
    } while (this.#changed.size > 0 && this.#failure === undefined)

    await this.#init.disk.close()
    const left = this.#changed.size
    this.#failure ??= new AbortError('the node was stopped')
    this.#nextRound?.reject(this.#failure)
    return left
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#round !== undefined || this.#isClosed) {
      return
    }

    this.#cancel = cancellable(this.#delayMs(), () => {
      this.#cancel = undefined
      void this.#write()
    })
  }

  #delayMs(): number {
    if (this.#failure !== undefined) {
      return this.#retryMs
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

    try {
      await this.#round
      this.#succeed()
      acknowledged?.resolve()
    } catch (error) {
      this.#fail(names, toError(error))
      acknowledged?.reject(error)
    }

    this.#round = undefined

    // Somebody may wait for a change that is gone by now.
    if (this.#changed.size > 0 || this.#nextRound !== undefined) {
      this.#schedule()
    }
  }

  /** Takes out of the names what is done: where it rejects, the rest is left. */
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

  /** What is held now: it may be newer than what was when the name was noted. */
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
      this.#onDisk.compacted()
      this.#init.disk
        .compact()
        .catch((error) => this.#init.log.error('could not compact the database - %e', error))
    }
  }

  #succeed(): void {
    this.#retryMs = FIRST_WRITE_RETRY_MS

    if (this.#failure !== undefined) {
      this.#failure = undefined
      this.#init.onStateChange?.(undefined)
    }
  }

  /**
   * Nobody waits for the next attempt: writes are refused until one succeeds. What has failed comes
   * first then, so that after its first batch it is sure again how many records there are.
   */
  #fail(names: ReadonlySet<string>, error: Error): void {
    const isNew = this.#failure === undefined
    this.#retryMs = isNew ? FIRST_WRITE_RETRY_MS : Math.min(2 * this.#retryMs, MAX_WRITE_RETRY_MS)
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
