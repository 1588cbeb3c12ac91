import type { DHTTime } from '@waggle/record'
import { Expirations } from './expirations.ts'
import { Quotas, type StorageLimits } from './quotas.ts'
import { livePartOf, releaseBytes, type StoredRecord } from './stored-record.ts'

export interface StoredRecordsInit {
  readonly limits: StorageLimits
  readonly clock: () => DHTTime

  /** Returns the proximity of a key to this node, by its record's name. Undefined: all are equally near. */
  readonly nearnessOf: ((name: string) => number) | undefined

  /** Called when another record, or none, is stored under the name. */
  readonly onChange: (name: string) => void
}

/**
 * The records of a store by their names, within its limits. A record that does not fit evicts others, those of the heaviest
 * writer first (N7), or is not stored, which changes nothing.
 */
export class StoredRecords {
  readonly #init: StoredRecordsInit
  readonly #quotas: Quotas
  readonly #byName = new Map<string, StoredRecord>()
  readonly #expirations = new Expirations()
  #bytes = 0

  constructor(init: StoredRecordsInit) {
    this.#init = init
    this.#quotas = new Quotas({
      limits: init.limits,
      nearnessOf: init.nearnessOf,
      firstToExpire: () => this.#expirations.first,
      all: () => this.#byName.values()
    })
  }

  get size(): number {
    return this.#byName.size
  }

  /** Bytes that they take, encoded. */
  get bytes(): number {
    return this.#bytes
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  get(name: string): StoredRecord | undefined {
    return this.#byName.get(name)
  }

  names(): IterableIterator<string> {
    return this.#byName.keys()
  }

  values(): IterableIterator<StoredRecord> {
    return this.#byName.values()
  }

  /**
   * Stores a record in place of the one with its name. Eviction counts for the writer, not for the peer that began the
   * dictionary. Returns whether there was room; if not, nothing has changed (R6).
   */
  add(stored: StoredRecord, writer: string): boolean {
    const previous = this.#byName.get(stored.name)

    if (previous === undefined && this.#isNextToEvict(stored)) {
      return false
    }

    this.#put(stored)
    const gone = this.#makeRoom(stored, writer)

    if (previous !== undefined) {
      gone.push(previous)
    }

    for (const one of gone) {
      if (stored.isStored || one === stored) {
        releaseBytes(one)
      } else {
        this.#put(one)
      }
    }

    return stored.isStored
  }

  /** Drops a record. */
  delete(stored: StoredRecord): void {
    this.#drop(stored)
    releaseBytes(stored)
  }

  /** Drops all fully expired records, and calls back with each. */
  dropExpired(now: DHTTime, onExpired: (stored: StoredRecord) => void): void {
    for (
      let stored = this.#expirations.expired(now);
      stored !== undefined;
      stored = this.#expirations.expired(now)
    ) {
      this.delete(stored)
      onExpired(stored)
    }
  }

  /** Prunes partly expired records, each once, up to a number. Returns whether more are left. */
  prune(now: DHTTime, most: number): boolean {
    let first = this.#expirations.partlyExpired(now)

    for (let left = most; left > 0 && first !== undefined; left--) {
      this.#put(livePartOf(first, now))
      releaseBytes(first)
      first = this.#expirations.partlyExpired(now)
    }

    return first !== undefined
  }

  /** Suspends the removal of what is stored now, until {@link resumeExpiration}. */
  suspendExpiration(): void {
    this.#expirations.suspend()
  }

  resumeExpiration(): void {
    this.#expirations.resume()
  }

  #put(stored: StoredRecord): void {
    const previous = this.#byName.get(stored.name)

    if (previous !== undefined) {
      this.#release(previous)
    }

    stored.isStored = true
    this.#bytes += stored.sizeBytes
    this.#byName.set(stored.name, stored)
    this.#quotas.add(stored)
    this.#expirations.add(stored, this.#byName.size)
    this.#init.onChange(stored.name)
  }

  #drop(stored: StoredRecord): void {
    this.#byName.delete(stored.name)
    this.#release(stored)
    this.#init.onChange(stored.name)
  }

  #release(stored: StoredRecord): void {
    stored.isStored = false
    this.#bytes -= stored.sizeBytes
    this.#quotas.delete(stored)
  }

  /**
   * Whether a new record would be evicted at once. A flood brings many such records: rejecting one without storing
   * it is cheap and leaves nothing behind in queues.
   */
  #isNextToEvict(stored: StoredRecord): boolean {
    if (this.#byName.size < this.#init.limits.maxRecords) {
      return false
    }

    const isAnyExpired = (this.#expirations.first?.expirationTime ?? 0) <= this.#init.clock()
    return !isAnyExpired && this.#quotas.isNextToEvict(stored)
  }

  /** Evicts records, expired ones first, and returns them, perhaps including the new one. */
  #makeRoom(stored: StoredRecord, writer: string): StoredRecord[] {
    const now = this.#init.clock()
    const evicted: StoredRecord[] = []

    while (stored.isStored && this.#isFull(writer)) {
      const { first } = this.#expirations
      const isExpired = first !== undefined && first.expirationTime <= now
      const next = isExpired ? first : (this.#quotas.nextToEvict(writer) ?? stored)
      this.#drop(next)
      evicted.push(next)
    }

    return evicted
  }

  #isFull(writer: string): boolean {
    const { maxRecords, maxBytes } = this.#init.limits
    return (
      this.#byName.size > maxRecords || this.#bytes > maxBytes || this.#quotas.isOverQuota(writer)
    )
  }
}
