import type { PeerId } from '@libp2p/interface'
import {
  type Found,
  type Key,
  type MaybePromise,
  recordKey,
  type SigningKey,
  type Subkey,
  type Value
} from '@waggle/record'
import { encodedSize, type Lifetime, subkeyId, whenDone } from '@waggle/record/replica'
import { MANY_BYTES_UNDER_WAY, MANY_UNDER_WAY } from '../constants.ts'
import { type Inspection, inspect } from '../inspection/inspection.ts'
import { LiveWatch } from '../live/live-watch.ts'
import type { StateSource } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { Meter } from '../metrics/meter.ts'
import type { CachedReads } from '../reading/cached-reads.ts'
import type { ReadOptions } from '../reading/reading.ts'
import type { Replicas } from '../reading/replicas.ts'
import type { RecordStore } from '../store/record-store.ts'
import { type CallOptions, Calls } from '../timing/calls.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { mapMany } from '../timing/many.ts'
import type { Watches } from '../watch/watches.ts'
import type { BaseOperations } from './base-operations.ts'
import { assertCallOptions, assertLifetimeOptions, assertMany } from './call-arguments.ts'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions
} from './call-options.ts'
import type { Publication, Republisher } from './republisher.ts'
import {
  assertPrivateKey,
  deleteWrite,
  placeName,
  placeOf,
  renew,
  SUBKEY_SEPARATOR,
  storeWrite,
  type Write,
  type WriteRules
} from './writes.ts'

export interface OperationsInit {
  /** This node. */
  readonly peerId: PeerId

  /** Hears of each value that was found and left out, because it fits no schema. */
  readonly onMisfit?: (() => void) | undefined
  readonly replicas: Replicas
  readonly reads: CachedReads
  readonly republisher: Republisher
  readonly watches: Watches

  /** The store, for its limits and its clock. */
  readonly store: RecordStore
  readonly numReplicas: number

  /** @default DEFAULTS.limits.maxCalls */
  readonly maxCalls?: number | undefined

  /** Counts calls. Undefined: no metrics. */
  readonly meter?: Meter | undefined

  /** This node's private key, which signs what it stores in places that it owns (R15). */
  readonly privateKey?: SigningKey | undefined

  /** Aborted when the node stops. */
  readonly lifetime: AbortSignal
}

/** Seconds between two writes. A float can represent it until the year 2242. */
const CLOCK_STEP = 1e-6

/** Seconds by which write times may run ahead of the clock. Steps alone never lead so far. */
const MAX_AHEAD = 1

/** Checks callers' arguments and runs their calls. */
export class Operations implements BaseOperations {
  readonly #init: OperationsInit
  readonly #calls: Calls
  #lastWrite = 0

  constructor(init: OperationsInit) {
    this.#init = init
    this.#calls = new Calls(init.lifetime, { observer: init.meter, maxCalls: init.maxCalls })
    init.lifetime.addEventListener('abort', () => init.republisher.unpublishOwn(this))
  }

  get peerId(): PeerId {
    return this.#init.peerId
  }

  get network(): string {
    return this.#init.store.network
  }

  countMisfit(): void {
    this.#init.onMisfit?.()
  }

  async store(key: Key, value: Value, options: StoreOptions): Promise<boolean> {
    assertLifetimeOptions('store', options)
    const write = storeWrite({ ...options, key, value }, this.#rules())
    const call = this.#calls.run('store', options, (cancellation) =>
      this.#replace(write, cancellation)
    )
    return options.republish === true ? this.#publish(write, options, call) : call
  }

  async delete(key: Key, options: DeleteOptions): Promise<boolean> {
    assertLifetimeOptions('delete', options)
    const write = deleteWrite({ ...options, key }, this.#rules())
    return this.#calls.run('delete', options, (cancellation) => {
      this.#init.republisher.unpublishAll(placeOf(write) + SUBKEY_SEPARATOR)
      return this.#replace(write, cancellation)
    })
  }

  stopRepublishing(key: Key, options: PlaceOptions = {}): boolean {
    assertCallOptions('stopRepublishing', options)
    const { subkey } = options
    const { limits } = this.#init.store
    const place = placeName(
      recordKey(key, limits),
      subkey === undefined ? undefined : subkeyId(subkey, limits)
    )
    return this.#init.republisher.unpublish(place)
  }

  async get(key: Key, options: GetOptions = {}): Promise<Found | undefined> {
    assertCallOptions('get', options)
    const bytes = recordKey(key, this.#init.store.limits)
    const { latest, sufficientExpirationTime } = options
    return this.#calls.run(
      'get',
      options,
      async (cancellation) =>
        await this.#read(bytes, { cancellation, latest, sufficientExpirationTime })
    )
  }

  async storeMany(
    entries: Iterable<StoreEntry>,
    options: StoreManyOptions = {}
  ): Promise<boolean[]> {
    assertMany('entries', entries)
    assertCallOptions('storeMany', options)
    const rules = this.#rules(options.privateKey)
    const toWrite = (entry: StoreEntry, index: number): Write =>
      inEntry(index, () => {
        assertCallOptions('entry', entry)
        return storeWrite({ ...entry, ...lifetimeOf(entry, options) }, rules)
      })

    if (Array.isArray(entries)) {
      // One wrong entry fails the whole call. Other iterables can be read only once.
      entries.forEach(toWrite)
    }

    return this.#calls.run('storeMany', { ...options, isBulk: true }, async (cancellation) => {
      const writes = mapLazily(entries, toWrite)
      const hasToPrepare = Array.isArray(entries) && this.#init.store.checks.hasValidators

      return mapMany(
        hasToPrepare ? await this.#prepareAll(writes) : writes,
        (write) => this.#replace(write, cancellation),
        {
          cancellation,
          maxItems: MANY_UNDER_WAY,
          maxBytes: MANY_BYTES_UNDER_WAY,
          bytesOf: ({ record }) => encodedSize(record)
        }
      )
    })
  }

  async getMany(keys: Iterable<Key>, options: GetManyOptions = {}): Promise<(Found | undefined)[]> {
    assertMany('keys', keys)
    assertCallOptions('getMany', options)
    const { onProgress, latest, sufficientExpirationTime } = options
    const { limits } = this.#init.store
    const toBytes = (key: Key, index: number): Uint8Array =>
      inEntry(index, () => recordKey(key, limits))

    if (Array.isArray(keys)) {
      keys.forEach(toBytes)
    }

    return this.#calls.run('getMany', { ...options, isBulk: true }, async (cancellation) => {
      // The caller gets the promise before the first progress event, even for cached records.
      await Promise.resolve()
      const readOptions = { cancellation, latest, sufficientExpirationTime }
      return mapMany(
        mapLazily(keys, (key, index) => ({ key, bytes: toBytes(key, index) })),
        ({ key, bytes }, index) =>
          whenDone(this.#read(bytes, readOptions), (found) => {
            if (!cancellation.isCancelled) {
              onProgress?.(
                found ? { name: 'found', index, key, found } : { name: 'not-found', index, key }
              )
            }

            return found
          }),
        {
          cancellation,
          maxItems: MANY_UNDER_WAY,
          maxBytes: Number.POSITIVE_INFINITY,
          bytesOf: () => 0
        }
      )
    })
  }

  watch<R extends boolean = false>(
    key: Key,
    options: WatchOptions<R> = {}
  ): Watch<Found | undefined, Subkey | undefined, Value, R> {
    return this.watchStates(this.states(key), options)
  }

  states(key: Key): StateSource<Found | undefined, Subkey | undefined, Value> {
    const { store, watches } = this.#init
    return watches.statesOf(recordKey(key, store.limits))
  }

  watchStates<T, K, V, R extends boolean>(
    source: StateSource<T, K, V>,
    options: WatchOptions<R> = {}
  ): Watch<T, K, V, R> {
    assertCallOptions('watch', options)
    const { lifetime, store } = this.#init
    return new LiveWatch({ ...options, source, lifetime, clock: store.clock })
  }

  async inspect(key: Key, options: CallOptions = {}): Promise<Inspection> {
    assertCallOptions('inspect', options)
    const { numReplicas, replicas, store } = this.#init
    const bytes = recordKey(key, store.limits)
    return this.#calls.run('inspect', options, (cancellation) =>
      inspect({ key: bytes, numReplicas, replicas, store, cancellation })
    )
  }

  async findNearestPeers(key: Key, options: FindNearestPeersOptions = {}): Promise<PeerId[]> {
    assertCallOptions('findNearestPeers', options)
    const { replicas, numReplicas, store } = this.#init
    const { count = numReplicas } = options
    const bytes = recordKey(key, store.limits)

    if (!Number.isInteger(count) || count < 1) {
      throw new TypeError(`count must be an integer from 1 up, got ${count}`)
    }

    return this.#calls.run('findNearestPeers', options, (cancellation) =>
      replicas.findNearestPeers(bytes, count, cancellation)
    )
  }

  /** Stores, and ends a publication in the same place. */
  #replace(write: Write, cancellation: CancellationToken): Promise<boolean> {
    this.#init.republisher.unpublish(placeOf(write))
    return this.#write(write, cancellation)
  }

  /** Republishes a write, unless something that beats it is stored. */
  async #publish(
    write: Write,
    { ttl, expirationTime }: Lifetime,
    stored: Promise<boolean>
  ): Promise<boolean> {
    const { republisher } = this.#init
    const publication: Publication = {
      ...{ place: placeOf(write), owner: this, ttl, expirationTime },
      store: () => this.#storeAgain(write, ttl)
    }
    let isStored = false
    republisher.publish(publication)

    try {
      isStored = await stored
      return isStored
    } finally {
      if (!isStored) {
        republisher.withdraw(publication)
      }
    }
  }

  async #storeAgain(write: Write, ttl: number | undefined): Promise<boolean> {
    const { now } = this.#rules()
    const again = ttl === undefined ? write : renew(write, now + ttl)
    return this.#calls.run('republish', {}, (cancellation) => this.#write(again, cancellation))
  }

  async #write(write: Write, cancellation: CancellationToken): Promise<boolean> {
    if (!write.isLive) {
      return false
    }

    const { replicas, reads } = this.#init
    const { key, record } = this.#isReady(write) ? write : await this.#prepare(write)
    const outcomes = await replicas.write(key, record, cancellation)
    this.#init.meter?.countOutcomes(outcomes)
    const isAccepted = outcomes.includes('accepted') && !outcomes.includes('stale')
    reads.onWritten(key, record, isAccepted)
    return isAccepted
  }

  /** Whether a write needs no signature and no validator. */
  #isReady({ signer, isPrepared }: Write): boolean {
    return isPrepared === true || (signer === undefined && !this.#init.store.checks.hasValidators)
  }

  async #prepare(write: Write): Promise<Write> {
    const { checks } = this.#init.store
    const record = await checks.prepare(write.key, write.record, write.signer)
    return { ...write, record, isPrepared: true }
  }

  /** Prepares all writes before any is stored, so that one refused write fails the whole call. */
  async #prepareAll(writes: Iterable<Write>): Promise<Write[]> {
    const prepared: Write[] = []

    for (const write of writes) {
      const preparing = this.#prepare(write)
      prepared.push(await preparing.catch((error) => inEntry(prepared.length, () => raise(error))))
    }

    return prepared
  }

  /** Answers at once if no peer has to be asked. */
  #read(key: Uint8Array, options: ReadOptions): MaybePromise<Found | undefined> {
    const { reads, store } = this.#init
    return whenDone(reads.read(key, options), (record) => store.checks.show(key, record))
  }

  /**
   * Returns the rules for a write. Time rises from write to write: of two writes with the same ttl
   * within one clock tick, the later wins. A clock that was ahead and has been corrected is trusted.
   */
  #rules(privateKey?: SigningKey): WriteRules {
    const { clock, limits } = this.#init.store
    const own = this.#init.privateKey
    const now = clock()
    const next = this.#lastWrite + CLOCK_STEP
    this.#lastWrite = next - now > MAX_AHEAD ? now : Math.max(now, next)

    if (privateKey !== undefined) {
      assertPrivateKey(privateKey)
    }

    return {
      now: this.#lastWrite,
      limits,
      signers: [privateKey, own].filter((key) => key !== undefined)
    }
  }
}

function* mapLazily<T, U>(items: Iterable<T>, map: (item: T, index: number) => U): Iterable<U> {
  let index = 0

  for (const item of items) {
    yield map(item, index++)
  }
}

/** Returns the lifetime for an entry that has none of its own. */
function lifetimeOf(entry: StoreEntry, { expirationTime, ttl }: Lifetime): Lifetime {
  return entry.expirationTime == null && entry.ttl == null ? { expirationTime, ttl } : {}
}

function raise(error: unknown): never {
  throw error
}

/** Adds to an error in which of many entries it occurred. */
function inEntry<T>(index: number, use: () => T): T {
  try {
    return use()
  } catch (error) {
    if (error instanceof Error) {
      error.message = `entry ${index}: ${error.message}`
    }

    throw error
  }
}
