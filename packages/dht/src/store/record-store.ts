import {
  type Applied,
  apply,
  type DHTRecord,
  type DHTTime,
  EMPTY_RECORD,
  encodeRecord,
  getDHTTime,
  type Limits
} from '@waggle/record'
import { DEFAULT_LIMITS, DEFAULT_NETWORK, newEntries } from '@waggle/record/replica'
import { bytesOf } from '../latin1.ts'
import { withOwnBytes } from './own-bytes.ts'
import { nameOf } from './place-name.ts'
import { RecordChecks } from './record-checks.ts'
import { type RecordStoreOptions, storageLimitsOf } from './record-store-options.ts'
import type { PersistenceHook, StoreObserver, WriteListener } from './store-listeners.ts'
import { LONG_AGO, livePartOf, OWN, type StoredRecord, storedRecordOf } from './stored-record.ts'
import { StoredRecords } from './stored-records.ts'

/** Partly expired records pruned in one sweep, which takes a few milliseconds. */
const MAX_PRUNED = 128

/**
 * The one store of a node: kad-dht's messages and Waggle's read and write the same records. A write is merged in
 * one synchronous step, so writes cannot overlap (N2). The store is bounded: when it is full, eviction starts with
 * the heaviest writer (N7).
 */
export class RecordStore {
  readonly limits: Limits
  readonly network: string
  readonly clock: () => DHTTime

  /** Checks of records from other peers or from disk. */
  readonly checks: RecordChecks
  readonly #stored: StoredRecords
  #persistence: PersistenceHook | undefined
  #observer: StoreObserver | undefined
  readonly #listeners: WriteListener[] = []

  constructor(options: RecordStoreOptions = {}) {
    this.limits = options.limits ?? DEFAULT_LIMITS
    this.network = options.network ?? DEFAULT_NETWORK
    this.clock = options.clock ?? getDHTTime
    this.checks = new RecordChecks({
      limits: this.limits,
      network: this.network,
      clock: this.clock,
      validators: options.validators,
      shares: options.shares
    })
    this.#stored = new StoredRecords({
      limits: storageLimitsOf(options),
      clock: this.clock,
      nearnessOf: options.nearnessOf && ((name) => options.nearnessOf?.(keyOf(name)) ?? 0),
      onChange: (name) => this.#persistence?.noteChange(name)
    })
  }

  /** Records stored. */
  get records(): number {
    return this.#stored.size
  }

  /** Bytes that they take, encoded. */
  get bytes(): number {
    return this.#stored.bytes
  }

  /** Returns the live record under a key; an empty one if there is none. */
  get(key: Uint8Array): DHTRecord {
    return this.#liveUnder(key)?.record ?? EMPTY_RECORD
  }

  /** Returns the live record under a name, and since when it has been fresh; undefined if there is none. */
  find(name: string): Pick<StoredRecord, 'record' | 'freshMs' | 'plainFreshMs'> | undefined {
    return this.#live(name)
  }

  /**
   * Returns the encoding of what {@link get} returns; undefined if that is empty. The bytes are
   * shared: do not change them.
   */
  encoded(key: Uint8Array): Uint8Array | undefined {
    const live = this.#liveUnder(key)

    if (live !== undefined) {
      live.encoded ??= encodeRecord(live.record)
    }

    return live?.encoded
  }

  /** Sets the persistence hook, which is notified of each change. Undefined: none. */
  persistWith(hook: PersistenceHook | undefined): void {
    this.#persistence = hook
  }

  /** Sets the observer, which is notified of each record. Undefined: none. */
  observeWith(observer: StoreObserver | undefined): void {
    this.#observer = observer
  }

  /**
   * Adds a listener that is notified of each write as soon as it is stored, but not of expirations and evictions.
   */
  onWrite(listener: WriteListener): void {
    this.#listeners.push(listener)
  }

  /**
   * Resolves when all writes until now have the configured durability; rejects when that fails. Undefined if they
   * have it already. A write is acknowledged after this, even one that repeats an earlier one.
   */
  whenDurable(): Promise<void> | undefined {
    return this.#persistence?.whenDurable()
  }

  /** Lists the names of all stored records. */
  names(): Iterable<string> {
    return this.#stored.names()
  }

  /**
   * Lists the live records with their names, each in its state at the time of iteration. May omit changes in the
   * meantime.
   */
  *live(): Generator<[name: string, record: DHTRecord], void, undefined> {
    for (const name of this.#stored.names()) {
      const live = this.#live(name)

      if (live !== undefined) {
        yield [name, live.record]
      }
    }
  }

  /** Whether anything is stored under the name, expired or not. */
  has(name: string): boolean {
    return this.#stored.has(name)
  }

  /** Returns the time since which a record has been stored under the name, in ms of the process's clock. */
  heldSinceMs(name: string): number {
    return this.#stored.get(name)?.sinceMs ?? Number.POSITIVE_INFINITY
  }

  /** Returns the time of the last change of the record under the name, in ms of the process's clock. */
  changedMs(name: string): number {
    return this.#stored.get(name)?.changedMs ?? Number.NEGATIVE_INFINITY
  }

  /** Takes note that the record under a name has all that a replica held at a time, in ms of the process's clock. */
  markFresh(name: string, freshMs: number): void {
    for (const each of this.#withRest(name)) {
      each.freshMs = Math.max(each.freshMs, freshMs)
    }
  }

  /** Takes note that the plain entry under a name was all that a replica showed at a time. */
  markPlainFresh(name: string, freshMs: number): void {
    for (const each of this.#withRest(name)) {
      each.plainFreshMs = Math.max(each.plainFreshMs, freshMs)
    }
  }

  /** Takes all records for old: the process's clock stood still in a sleep. */
  markAllOld(): void {
    for (const stored of this.#stored.values()) {
      stored.freshMs = Math.min(stored.freshMs, LONG_AGO)
      stored.plainFreshMs = Math.min(stored.plainFreshMs, LONG_AGO)
      stored.rest = undefined
    }
  }

  /**
   * Returns the encoding of the record under a name, expired parts included; undefined if there is none. Unlike
   * {@link encoded} it does not keep the encoding, which the journal needs once.
   */
  encodedAsHeld(name: string): Uint8Array | undefined {
    const stored = this.#stored.get(name)
    return stored && (stored.encoded ?? encodeRecord(stored.record))
  }

  /**
   * Applies a write (R6) that has passed {@link checks}, from the peer of that name or from this node itself. A
   * dictionary counts as stored by the peer that began it.
   *
   * @param encoding - the bytes from which the write was read. The value of a single entry is a view of them, so they
   * are in memory anyway, and readers are sent them if the write is all that the record holds
   */
  apply(key: Uint8Array, sent: DHTRecord, writer: string = OWN, encoding?: Uint8Array): Applied {
    const name = nameOf(key)
    const write = withOwnBytes(sent)
    const live = this.#live(name)
    const before = live?.record ?? EMPTY_RECORD
    const applied = apply(before, write, { now: this.clock(), limits: this.limits })

    if (!applied.isAccepted || applied.record === before) {
      return applied
    }

    const stored = storedRecordOf(name, applied.record, writer, live)
    stored.encoded = write === sent ? encodingOf(stored, write, encoding) : undefined

    if (!this.#stored.add(stored, writer)) {
      return { isAccepted: false, record: before, reason: 'full' }
    }

    this.#observer?.onStored(name, stored.expirationTime)

    const change = { added: newEntries(before, write), before, writer }

    for (const listener of this.#listeners) {
      listener(name, change)
    }

    return applied
  }

  /**
   * Stores a record from this node's own disk, even if it has expired: while expiration is suspended, the clock may
   * be wrong. The key must have no other record.
   */
  hold(key: Uint8Array, record: DHTRecord): boolean {
    return this.#stored.add(storedRecordOf(nameOf(key), withOwnBytes(record), OWN), OWN)
  }

  /**
   * Suspends the removal of expired records, until {@link resumeExpiration}, while the clock is in doubt. Records
   * that have expired by the current clock are not returned.
   */
  suspendExpiration(): void {
    for (const stored of this.#stored.values()) {
      stored.rest = undefined
    }

    this.#stored.suspendExpiration()
  }

  /** Lets the next {@link sweep} remove all expired records. */
  resumeExpiration(): void {
    this.#stored.resumeExpiration()
  }

  /** Drops the record under a name. */
  remove(name: string): void {
    const stored = this.#stored.get(name)

    if (stored !== undefined) {
      this.#stored.delete(stored)
    }
  }

  /** Drops all records. */
  clear(): void {
    for (const name of [...this.#stored.names()]) {
      this.remove(name)
    }
  }

  /**
   * Removes expired records, and prunes at most {@link MAX_PRUNED} partly expired ones. Returns whether more of
   * these are left.
   */
  sweep(): boolean {
    const now = this.clock()
    this.#stored.dropExpired(now, ({ name, expirationTime }) =>
      this.#observer?.onExpired(name, expirationTime)
    )
    return this.#stored.prune(now, MAX_PRUNED)
  }

  /** The record under a name, and the one of its live rest, if there are any. */
  #withRest(name: string): StoredRecord[] {
    const stored = this.#stored.get(name)
    return [stored, stored?.rest].filter((each) => each !== undefined)
  }

  /** The same as {@link #live}, without naming the key for a store that is empty, as a client's is. */
  #liveUnder(key: Uint8Array): StoredRecord | undefined {
    return this.#stored.size === 0 ? undefined : this.#live(nameOf(key))
  }

  #live(name: string): StoredRecord | undefined {
    const stored = this.#stored.get(name)

    // The clock is read only for what is there.
    const now = stored === undefined ? 0 : this.clock()
    return stored && stored.expirationTime > now ? livePartOf(stored, now) : undefined
  }
}

/** Returns the encoding of a write if it is that of the record that holds it, too: nothing was added, or left out. */
function encodingOf(
  { name, record, sizeBytes }: StoredRecord,
  { plain, subkeys }: DHTRecord,
  encoding: Uint8Array | undefined
): Uint8Array | undefined {
  const isSame = record.plain === plain && record.subkeys === subkeys
  return isSame && encoding?.length === sizeBytes - name.length ? encoding : undefined
}

export { nameOf } from './place-name.ts'

/** Converts a name back to its record key. */
export function keyOf(name: string): Uint8Array {
  return bytesOf(name)
}
