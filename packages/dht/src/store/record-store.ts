import {
  type Applied,
  apply,
  DEFAULT_LIMITS,
  type DHTRecord,
  type DHTTime,
  EMPTY_RECORD,
  encodeRecord,
  getDHTTime,
  type Limits,
  type RecordValidator
} from '@waggle/record'
import { DEFAULT_NETWORK } from '@waggle/record/replica'
import type { CpuShares } from '../admission/cpu-shares.ts'
import { bytesOf, textOf } from '../latin1.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { Quotas, type StorageLimits } from './quotas.ts'
import { RecordChecks } from './record-checks.ts'
import { RecordQueue } from './record-queue.ts'
import type { PersistenceHook, StoreObserver, WriteListener } from './store-listeners.ts'
import {
  livePartOf,
  OWN,
  releaseBytes,
  type StoredRecord,
  storedRecordOf
} from './stored-record.ts'

/** Options of a record store. */
export interface RecordStoreOptions {
  /** Limits of single records. */
  limits?: Limits | undefined

  /**
   * The name of the network whose records these are. Signatures of other networks are not valid.
   *
   * @default DEFAULT_NETWORK
   */
  network?: string | undefined

  /**
   * Records stored. Beyond it, the store evicts records: of the peer that has stored most, those
   * farthest from this node, and of these the first to expire.
   *
   * @default DEFAULTS.limits.maxStoredRecords
   */
  maxRecords?: number | undefined

  /**
   * Bytes of encoded records stored. Beyond it, the store evicts records likewise.
   *
   * @default DEFAULTS.limits.maxStoredBytes
   */
  maxBytes?: number | undefined

  /**
   * Records that one peer may have stored. Beyond it, the store evicts records of that peer.
   *
   * @default maxRecords
   */
  maxRecordsPerPeer?: number | undefined

  /**
   * Bytes that one peer may have stored.
   *
   * @default maxBytes
   */
  maxBytesPerPeer?: number | undefined

  /**
   * Returns how near to this node a record's key is, in leading bits that they share. Left out: all
   * are equally near.
   */
  nearnessOf?: ((key: Uint8Array) => number) | undefined

  /** @default getDHTTime */
  clock?: (() => DHTTime) | undefined

  /**
   * The application's rules for what may be stored. This node applies them as a replica and a
   * reader.
   *
   * @default []
   */
  validators?: readonly RecordValidator[] | undefined

  /** Time that each peer has used of this node. @default the store's own */
  shares?: CpuShares | undefined
}

/** Partly expired records pruned in one sweep, which takes a few milliseconds. */
const MAX_PRUNED = 128

/**
 * The one store of a node: kad-dht's messages and Waggle's read and write the same records. A write
 * is merged in one synchronous step, so that no two of them can overlap (N2). The store is bounded:
 * when it is full, eviction starts with the heaviest writer (N7).
 */
export class RecordStore {
  readonly limits: Limits
  readonly network: string
  readonly clock: () => DHTTime

  /** Checks of records that come from elsewhere. */
  readonly checks: RecordChecks
  readonly #limits: StorageLimits
  readonly #quotas: Quotas
  readonly #stored = new Map<string, StoredRecord>()
  readonly #firstToExpire = new RecordQueue((a, b) => a.expirationTime - b.expirationTime)
  /** Records whose parts expire at different times. */
  readonly #firstToPrune = new RecordQueue((a, b) => a.firstExpiration - b.firstExpiration)
  #bytes = 0
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
    this.#limits = storageLimitsOf(options)
    this.#quotas = new Quotas({
      limits: this.#limits,
      nearnessOf: options.nearnessOf && ((name) => options.nearnessOf?.(keyOf(name)) ?? 0),
      firstToExpire: () => this.#firstToExpire.first,
      all: () => this.#stored.values()
    })
  }

  /** Records stored. */
  get records(): number {
    return this.#stored.size
  }

  /** Bytes that they take, encoded. */
  get bytes(): number {
    return this.#bytes
  }

  /** Returns the live record under a key; an empty one if there is none. */
  get(key: Uint8Array): DHTRecord {
    return this.#live(nameOf(key))?.record ?? EMPTY_RECORD
  }

  /**
   * Returns the encoding of what {@link get} returns; undefined if that is empty. The bytes are
   * shared: do not change them.
   */
  encoded(key: Uint8Array): Uint8Array | undefined {
    const live = this.#live(nameOf(key))

    if (live !== undefined) {
      live.encoded ??= encodeRecord(live.record)
    }

    return live?.encoded
  }

  /** Tells a persistence hook of each change from now on. Undefined: none. */
  persistWith(hook: PersistenceHook | undefined): void {
    this.#persistence = hook
  }

  /** Tells an observer of each record from now on. Undefined: none. */
  observeWith(observer: StoreObserver | undefined): void {
    this.#observer = observer
  }

  /** Tells a listener of each write from now on, as soon as it is stored. Expirations and evictions are not told. */
  onWrite(listener: WriteListener): void {
    this.#listeners.push(listener)
  }

  /**
   * Resolves when all writes until now are as durable as the node was told to make them; rejects
   * when that fails. Undefined if they are already. A write is acknowledged after this, even one
   * that repeats an earlier one.
   */
  whenDurable(): Promise<void> | undefined {
    return this.#persistence?.whenDurable()
  }

  /** Lists the names of all stored records. */
  names(): Iterable<string> {
    return this.#stored.keys()
  }

  /**
   * Lists each record that is live when the loop comes to it, with its name. Changes in the
   * meantime may be missed.
   */
  *live(): Generator<[name: string, record: DHTRecord], void, undefined> {
    for (const name of this.#stored.keys()) {
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

  /** Returns since when anything has been stored under the name, in ms of the process's clock. */
  heldSinceMs(name: string): number {
    return this.#stored.get(name)?.sinceMs ?? Number.POSITIVE_INFINITY
  }

  /** Returns when the record under the name was changed last, in ms of the process's clock. */
  changedMs(name: string): number {
    return this.#stored.get(name)?.changedMs ?? Number.NEGATIVE_INFINITY
  }

  /**
   * Returns the encoding of the record under a name, expired parts included; undefined if there is
   * none. Unlike {@link encoded} it does not keep the encoding, which the journal needs once.
   */
  encodedAsHeld(name: string): Uint8Array | undefined {
    const stored = this.#stored.get(name)
    return stored && (stored.encoded ?? encodeRecord(stored.record))
  }

  /**
   * Applies a write (R6) that has passed {@link checks}, from the peer of that name or from this
   * node itself. A dictionary counts as stored by the peer that began it.
   */
  apply(key: Uint8Array, write: DHTRecord, writer: string = OWN): Applied {
    const name = nameOf(key)
    const previous = this.#stored.get(name)
    const live = this.#live(name)
    const before = live?.record ?? EMPTY_RECORD
    const applied = apply(before, write, { now: this.clock(), limits: this.limits })

    if (!applied.isAccepted || applied.record === before) {
      return applied
    }

    const stored = storedRecordOf(name, applied.record, writer, live)

    if (previous === undefined && this.#isNextToEvict(stored)) {
      return { isAccepted: false, record: before, reason: 'full' }
    }

    this.#put(stored)
    const gone = this.#makeRoom(stored, writer)

    if (previous !== undefined) {
      gone.push(previous)
    }

    if (!stored.isStored) {
      // It was evicted itself, and a rejected write changes nothing (R6).
      this.#restore(gone, stored)
      return { isAccepted: false, record: before, reason: 'full' }
    }

    for (const one of gone) {
      releaseBytes(one)
    }

    this.#observer?.onStored(name, stored.expirationTime)

    for (const listener of this.#listeners) {
      listener(name, write, writer)
    }

    return applied
  }

  /** Drops the record under a name. */
  remove(name: string): void {
    const stored = this.#stored.get(name)

    if (stored !== undefined) {
      this.#drop(stored)
      releaseBytes(stored)
    }
  }

  /** Drops all records, as a node does that becomes a client. */
  clear(): void {
    for (const name of [...this.#stored.keys()]) {
      this.remove(name)
    }
  }

  /**
   * Removes expired records, and prunes at most {@link MAX_PRUNED} that have expired in part.
   * Returns whether there are more of these.
   */
  sweep(): boolean {
    const now = this.clock()

    for (const stored of this.#dropWhile(({ expirationTime }) => expirationTime <= now)) {
      releaseBytes(stored)
      this.#observer?.onExpired(stored.name, stored.expirationTime)
    }

    return this.#prune(now)
  }

  #live(name: string): StoredRecord | undefined {
    const stored = this.#stored.get(name)
    const now = this.clock()
    return stored && stored.expirationTime > now ? livePartOf(stored, now) : undefined
  }

  /** Prunes each record once of all that has expired since the last sweep. */
  #prune(now: DHTTime): boolean {
    let { first } = this.#firstToPrune

    for (let left = MAX_PRUNED; left > 0 && isDue(first, now); left--) {
      this.#put(livePartOf(first, now))
      releaseBytes(first)
      first = this.#firstToPrune.first
    }

    return isDue(first, now)
  }

  #put(stored: StoredRecord): void {
    const previous = this.#stored.get(stored.name)

    if (previous !== undefined) {
      this.#release(previous)
    }

    stored.isStored = true
    this.#bytes += stored.sizeBytes
    this.#stored.set(stored.name, stored)
    this.#quotas.add(stored)
    this.#firstToExpire.push(stored, this.#stored.size)

    if (stored.firstExpiration < stored.expirationTime) {
      this.#firstToPrune.push(stored, this.#stored.size)
    }

    this.#persistence?.noteChange(stored.name)
  }

  /** Stores again what was dropped, except for the rejected record. */
  #restore(gone: readonly StoredRecord[], rejected: StoredRecord): void {
    for (const stored of gone) {
      if (stored === rejected) {
        releaseBytes(stored)
      } else {
        this.#put(stored)
      }
    }
  }

  #release(stored: StoredRecord): void {
    stored.isStored = false
    this.#bytes -= stored.sizeBytes
    this.#quotas.delete(stored)
  }

  /**
   * Whether a new record would be evicted at once. A flood brings many such records: one that is
   * never stored costs little and leaves nothing behind in queues.
   */
  #isNextToEvict(stored: StoredRecord): boolean {
    if (this.#stored.size < this.#limits.maxRecords) {
      return false
    }

    const isAnyExpired = (this.#firstToExpire.first?.expirationTime ?? 0) <= this.clock()
    return !isAnyExpired && this.#quotas.isNextToEvict(stored)
  }

  /**
   * Returns what it has dropped, perhaps the record itself. It evicts for the sake of the writer,
   * and not of the peer that began the dictionary.
   */
  #makeRoom(stored: StoredRecord, writer: string): StoredRecord[] {
    const now = this.clock()
    const dropped = this.#dropWhile(
      ({ expirationTime }) => expirationTime <= now && this.#isFull(writer)
    )

    while (stored.isStored && this.#isFull(writer)) {
      const next = this.#quotas.nextToEvict(writer) ?? stored
      this.#drop(next)
      dropped.push(next)
    }

    return dropped
  }

  #isFull(writer: string): boolean {
    const { maxRecords, maxBytes } = this.#limits
    return (
      this.#stored.size > maxRecords || this.#bytes > maxBytes || this.#quotas.isOverQuota(writer)
    )
  }

  /** Returns what it has dropped. */
  #dropWhile(isDropped: (first: StoredRecord) => boolean): StoredRecord[] {
    const dropped: StoredRecord[] = []
    let { first } = this.#firstToExpire

    while (first !== undefined && isDropped(first)) {
      this.#drop(first)
      dropped.push(first)
      first = this.#firstToExpire.first
    }

    return dropped
  }

  #drop(stored: StoredRecord): void {
    this.#stored.delete(stored.name)
    this.#release(stored)
    this.#persistence?.noteChange(stored.name)
  }
}

function storageLimitsOf(options: RecordStoreOptions): StorageLimits {
  const { maxStoredRecords, maxStoredBytes } = DEFAULT_NODE_LIMITS
  const { maxRecords = maxStoredRecords, maxBytes = maxStoredBytes } = options
  return {
    maxRecords,
    maxBytes,
    maxRecordsPerPeer: options.maxRecordsPerPeer ?? maxRecords,
    maxBytesPerPeer: options.maxBytesPerPeer ?? maxBytes
  }
}

function isDue(stored: StoredRecord | undefined, now: DHTTime): stored is StoredRecord {
  return stored !== undefined && stored.firstExpiration <= now
}

/** Turns a record key into a string by which a Map can find it. */
export function nameOf(key: Uint8Array): string {
  return textOf(key)
}

/** Returns the record key that has the name. */
export function keyOf(name: string): Uint8Array {
  return bytesOf(name)
}
