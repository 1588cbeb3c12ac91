import type { PeerId } from '@libp2p/interface'
import {
  type Found,
  type Key,
  type MaybePromise,
  recordKey,
  type Subkey,
  type Value
} from '@waggle/record'
import {
  encodedSize,
  type Lifetime,
  lastExpiration,
  subkeyId,
  whenDone
} from '@waggle/record/replica'
import { MANY_BYTES_UNDER_WAY, MANY_UNDER_WAY } from '../constants.ts'
import { type Inspection, inspect } from '../inspection/inspection.ts'
import { LiveWatch } from '../live/live-watch.ts'
import type { StateSource } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { ReadOptions } from '../reading/reading.ts'
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
import { ManyReader } from './many-reader.ts'
import {
  answersOf,
  type BriefResult,
  type Failure,
  settled,
  storedOf,
  storedOrFailure
} from './many-results.ts'
import type { Publication, Republisher } from './republisher.ts'
import type { Report, Result, StoreReport } from './store-report.ts'
import { Writer, type WriterInit, type Written } from './writer.ts'
import {
  deleteWrite,
  placeName,
  placeOf,
  renew,
  SUBKEY_SEPARATOR,
  storeWrite,
  type Write
} from './writes.ts'

export interface OperationsInit extends WriterInit {
  /** This node. */
  readonly peerId: PeerId

  /** Hears of each value that was found and left out, because it fits no schema. */
  readonly onMisfit?: (() => void) | undefined
  readonly republisher: Republisher
  readonly watches: Watches
  readonly numReplicas: number

  /** @default DEFAULTS.limits.maxCalls */
  readonly maxCalls?: number | undefined

  /** Aborted when the node stops. */
  readonly lifetime: AbortSignal
}

/** Checks callers' arguments and runs their calls. */
export class Operations implements BaseOperations {
  readonly #init: OperationsInit
  readonly #calls: Calls
  readonly #writer: Writer

  constructor(init: OperationsInit) {
    this.#init = init
    this.#writer = new Writer(init)
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

  async store<R extends boolean = false>(
    key: Key,
    value: Value,
    options: StoreOptions & Report<R>
  ): Promise<Result<R>> {
    assertLifetimeOptions('store', options)
    const write = storeWrite({ ...options, key, value }, this.#writer.rules())
    const call = this.#calls.run('store', options, (cancellation) =>
      this.#replace(write, cancellation)
    )
    const written = options.republish === true ? this.#publish(write, options, call) : call
    return this.#writer.resultOf(await written, options)
  }

  async delete<R extends boolean = false>(
    key: Key,
    options: DeleteOptions & Report<R> = {}
  ): Promise<Result<R>> {
    assertCallOptions('delete', options)
    const { ttl, expirationTime } = options
    const isTimed = ttl != null || expirationTime != null
    const writer = this.#writer
    const write = isTimed ? deleteWrite({ ...options, key }, writer.rules()) : undefined
    const place = this.#placeOf(key, options)
    const written = await this.#calls.run('delete', options, async (cancellation) => {
      this.#init.republisher.unpublish(place)
      this.#init.republisher.unpublishAll(place + SUBKEY_SEPARATOR)
      return write === undefined
        ? writer.deletePresent({ ...options, key }, cancellation)
        : writer.write(write, cancellation)
    })
    return writer.resultOf(written, options)
  }

  stopRepublishing(key: Key, options: PlaceOptions = {}): boolean {
    assertCallOptions('stopRepublishing', options)
    return this.#init.republisher.unpublish(this.#placeOf(key, options))
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

  async storeMany<R extends boolean = false>(
    entries: Iterable<StoreEntry>,
    options: StoreManyOptions & Report<R> = {}
  ): Promise<Result<R>[]> {
    assertMany('entries', entries)
    assertCallOptions('storeMany', options)
    const writer = this.#writer
    const rules = writer.rules(options.privateKey)
    const toWrite = (entry: StoreEntry, index: number): Write =>
      inEntry(index, () => {
        assertCallOptions('entry', entry)
        return storeWrite({ ...entry, ...lifetimeOf(entry, options) }, rules)
      })

    if (Array.isArray(entries)) {
      // One wrong entry fails the whole call. Other iterables can be read only once.
      entries.forEach(toWrite)
    }

    const isReported = options.report === true
    const results: BriefResult[] = []
    const resultsSoFar = (reason: Error): PromiseSettledResult<boolean>[] =>
      settled(results.map(storedOrFailure), { count: countOf(entries, results), reason })
    const bulk = { ...options, isBulk: true, resultsSoFar }

    await this.#calls.run('storeMany', bulk, async (cancellation) => {
      const writes = mapLazily(entries, toWrite)
      const hasToPrepare = Array.isArray(entries) && this.#init.store.checks.hasValidators

      await mapMany(
        hasToPrepare ? await this.#prepareAll(writes) : writes,
        async (write, index) => {
          const written = await this.#replace(write, cancellation)
          const isBrief = written.outcome === 'held' && !isReported
          results[index] = isBrief ? lastExpiration(write.record) : written
        },
        {
          cancellation,
          maxItems: MANY_UNDER_WAY,
          maxBytes: MANY_BYTES_UNDER_WAY,
          bytesOf: ({ record }) => encodedSize(record)
        }
      )
      return results
    })

    const reportOf = (written: Written): Promise<StoreReport> => writer.reportOf(written)
    const answers = isReported
      ? Promise.all((results as Written[]).map(reportOf))
      : storedOf(results, reportOf)
    return (await answers) as Result<R>[]
  }

  async getMany(keys: Iterable<Key>, options: GetManyOptions = {}): Promise<(Found | undefined)[]> {
    assertMany('keys', keys)
    assertCallOptions('getMany', options)
    const { limits } = this.#init.store
    const toBytes = (key: Key, index: number): Uint8Array =>
      inEntry(index, () => recordKey(key, limits))

    if (Array.isArray(keys)) {
      keys.forEach(toBytes)
    }

    const results: (Found | undefined | Failure)[] = []
    const resultsSoFar = (reason: Error): PromiseSettledResult<Found | undefined>[] =>
      settled(results, { count: countOf(keys, results), reason })
    const bulk = { ...options, isBulk: true, resultsSoFar }

    await this.#calls.run('getMany', bulk, async (cancellation) => {
      // The caller gets the promise before the first progress event, even for cached records.
      await Promise.resolve()
      const reader = new ManyReader({
        ...{ options, cancellation, results },
        read: (key, options) => this.#read(key, options)
      })
      await mapMany(
        mapLazily(keys, (key, index) => ({ key, bytes: toBytes(key, index) })),
        (item, index) => reader.read(item, index),
        {
          cancellation,
          maxItems: MANY_UNDER_WAY,
          maxBytes: Number.POSITIVE_INFINITY,
          bytesOf: () => 0
        }
      )
      return results
    })

    return answersOf(results)
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
      replicas.nearest(bytes, count, cancellation)
    )
  }

  /** Names a place. */
  #placeOf(key: Key, { subkey }: PlaceOptions): string {
    const { limits } = this.#init.store
    return placeName(
      recordKey(key, limits),
      subkey === undefined ? undefined : subkeyId(subkey, limits)
    )
  }

  /** Stores, and ends a publication in the same place. */
  #replace(write: Write, cancellation: CancellationToken): Promise<Written> {
    this.#init.republisher.unpublish(placeOf(write))
    return this.#writer.write(write, cancellation)
  }

  /** Republishes a write, unless something that beats it is stored. */
  async #publish(
    write: Write,
    { ttl, expirationTime }: Lifetime,
    storing: Promise<Written>
  ): Promise<Written> {
    const { republisher } = this.#init
    const publication: Publication = {
      ...{ place: placeOf(write), owner: this, ttl, expirationTime },
      store: () => this.#storeAgain(write, ttl)
    }
    let isStored = false
    republisher.publish(publication)

    try {
      const written = await storing
      isStored = written.outcome === 'held'
      return written
    } finally {
      if (!isStored) {
        republisher.withdraw(publication)
      }
    }
  }

  async #storeAgain(write: Write, ttl: number | undefined): Promise<boolean> {
    const { now } = this.#writer.rules()
    const again = ttl === undefined ? write : renew(write, now + ttl)
    const { outcome } = await this.#calls.run('republish', {}, (cancellation) =>
      this.#writer.write(again, cancellation)
    )
    return outcome === 'held'
  }

  /** Prepares all writes before any is stored, so that one refused write fails the whole call. */
  async #prepareAll(writes: Iterable<Write>): Promise<Write[]> {
    const prepared: Write[] = []

    for (const write of writes) {
      const preparing = this.#writer.prepare(write)
      prepared.push(await preparing.catch((error) => inEntry(prepared.length, () => raise(error))))
    }

    return prepared
  }

  /** Answers at once if no peer has to be asked. */
  #read(key: Uint8Array, options: ReadOptions): MaybePromise<Found | undefined> {
    const { reads, store } = this.#init
    return whenDone(reads.read(key, options), (record) => store.checks.show(key, record))
  }
}

/** How many items there are, as far as is known. */
function countOf(items: Iterable<unknown>, results: readonly unknown[]): number {
  return Array.isArray(items) ? items.length : results.length
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
