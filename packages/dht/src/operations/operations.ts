import type { PeerId } from '@libp2p/interface'
import {
  type Found,
  type Key,
  type MaybePromise,
  recordKey,
  type SigningKey,
  type Value
} from '@waggle/record'
import { encodedSize, type Lifetime, subkeyId, whenDone } from '@waggle/record/replica'
import { MANY_BYTES_UNDER_WAY, MANY_UNDER_WAY } from '../constants.ts'
import type { Meter } from '../metrics/meter.ts'
import type { CachedReads } from '../reading/cached-reads.ts'
import type { ReadOptions } from '../reading/reading.ts'
import type { Replicas } from '../reading/replicas.ts'
import type { RecordStore } from '../store/record-store.ts'
import { Calls } from '../timing/calls.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { mapMany } from '../timing/many.ts'
import type { Watches } from '../watch/watches.ts'
import { assertCallOptions, assertMany, assertOptions } from './call-arguments.ts'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions,
  WatchOptions
} from './call-options.ts'
import type { Publication, Republisher } from './republisher.ts'
import type { WaggleOperations } from './waggle-operations.ts'
import {
  assertPrivateKey,
  deleting,
  placeName,
  placeOf,
  renewed,
  SUBKEY_SEPARATOR,
  storing,
  type Write,
  type WriteRules
} from './writes.ts'

export interface OperationsInit {
  readonly replicas: Replicas
  readonly reads: CachedReads
  readonly republisher: Republisher
  readonly watches: Watches

  /** For its limits and its clock. */
  readonly store: RecordStore
  readonly numReplicas: number

  /** @default DEFAULT_MAX_CALLS */
  readonly maxCalls?: number | undefined

  /** Counts what is done; undefined: nobody. */
  readonly meter?: Meter | undefined
  /** This node's own, which signs what it stores in places of its own (R15). */
  readonly privateKey?: SigningKey | undefined

  /** Aborted when the node stops. */
  readonly lifetime: AbortSignal
}

/** Seconds; a float has room for it until the year 2242. */
const CLOCK_STEP = 1e-6

/** Seconds. Steps alone never lead so far ahead of the clock. */
const MAX_AHEAD = 1

/** Checks what callers pass, and has the replicas do it in time. */
export class Operations implements WaggleOperations {
  readonly #init: OperationsInit
  readonly #calls: Calls
  #lastWrite = 0

  constructor(init: OperationsInit) {
    this.#init = init
    this.#calls = new Calls(init.lifetime, { observer: init.meter, maxCalls: init.maxCalls })
    init.lifetime.addEventListener('abort', () => init.republisher.unpublishOwn(this))
  }

  async store(key: Key, value: Value, options: StoreOptions): Promise<boolean> {
    assertOptions('store', options)
    const write = storing({ ...options, key, value }, this.#rules())
    const call = this.#calls.run('store', options, (cancellation) =>
      this.#replace(write, cancellation)
    )
    return options.republish === true ? this.#publish(write, options, call) : call
  }

  async delete(key: Key, options: DeleteOptions): Promise<boolean> {
    assertOptions('delete', options)
    const write = deleting({ ...options, key }, this.#rules())
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
        return storing({ ...entry, ...lifetimeOf(entry, options) }, rules)
      })

    if (Array.isArray(entries)) {
      // Nothing is stored of what is wrong in part. Others can be read but once.
      entries.forEach(toWrite)
    }

    return this.#calls.run('storeMany', options, async (cancellation) => {
      const writes = mapped(entries, toWrite)
      const isToJudge = Array.isArray(entries) && this.#init.store.checks.hasValidators

      return mapMany(
        isToJudge ? await this.#preparedAll(writes) : writes,
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

    return this.#calls.run('getMany', options, async (cancellation) => {
      // Progress is told to a caller who has the promise already, whatever this node knows.
      await Promise.resolve()
      const readOptions = { cancellation, latest, sufficientExpirationTime }
      return mapMany(
        mapped(keys, (key, index) => ({ key, bytes: toBytes(key, index) })),
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

  watch(key: Key, options: WatchOptions = {}): AsyncIterableIterator<Found | undefined> {
    assertCallOptions('watch', options)
    const { signal } = options
    const { lifetime, store, watches } = this.#init
    return watches.watching(recordKey(key, store.limits), { signal, lifetime })
  }

  async findNearestPeers(key: Key, options: FindNearestPeersOptions = {}): Promise<PeerId[]> {
    assertCallOptions('findNearestPeers', options)
    const { replicas, numReplicas, store } = this.#init
    const { count = numReplicas } = options
    const bytes = recordKey(key, store.limits)

    if (!Number.isInteger(count) || count < 1) {
      throw new TypeError(`count must be a whole number from 1 up, got ${count}`)
    }

    return this.#calls.run('findNearestPeers', options, (cancellation) =>
      replicas.nearest(bytes, count, cancellation)
    )
  }

  /** Stores, whatever has been kept alive in the place. */
  #replace(write: Write, cancellation: CancellationToken): Promise<boolean> {
    this.#init.republisher.unpublish(placeOf(write))
    return this.#write(write, cancellation)
  }

  /** Keeps alive what was stored, unless something that beats it is there. */
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
    const again = ttl === undefined ? write : renewed(write, now + ttl)
    return this.#calls.run('republish', {}, (cancellation) => this.#write(again, cancellation))
  }

  async #write(write: Write, cancellation: CancellationToken): Promise<boolean> {
    if (!write.isLive) {
      return false
    }

    const { replicas, reads } = this.#init
    const { key, record } = this.#isReady(write) ? write : await this.#prepared(write)
    const outcomes = await replicas.write(key, record, cancellation)
    this.#init.meter?.written(outcomes)
    const isAccepted = outcomes.includes('accepted') && !outcomes.includes('stale')
    reads.onWritten(key, record, isAccepted)
    return isAccepted
  }

  /** Whether nobody has to sign it or might refuse it. */
  #isReady({ signer, isPrepared }: Write): boolean {
    return isPrepared === true || (signer === undefined && !this.#init.store.checks.hasValidators)
  }

  async #prepared(write: Write): Promise<Write> {
    const { checks } = this.#init.store
    const record = await checks.prepared(write.key, write.record, write.signer)
    return { ...write, record, isPrepared: true }
  }

  /** Nothing is stored of what validators refuse in part. */
  async #preparedAll(writes: Iterable<Write>): Promise<Write[]> {
    const prepared: Write[] = []

    for (const write of writes) {
      const judged = this.#prepared(write)
      prepared.push(await judged.catch((error) => inEntry(prepared.length, () => raise(error))))
    }

    return prepared
  }

  /** At once, if nobody has to be asked. */
  #read(key: Uint8Array, options: ReadOptions): MaybePromise<Found | undefined> {
    const { reads, store } = this.#init
    return whenDone(reads.read(key, options), (record) => store.checks.shown(key, record))
  }

  /**
   * Time rises from write to write: of two within a clock's tick, with the same ttl, the later wins. A clock that
   * was ahead and has been set right is believed.
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

function* mapped<T, U>(items: Iterable<T>, map: (item: T, index: number) => U): Iterable<U> {
  let index = 0

  for (const item of items) {
    yield map(item, index++)
  }
}

/** The lifetime of an entry that brings none of its own. */
function lifetimeOf(entry: StoreEntry, { expirationTime, ttl }: Lifetime): Lifetime {
  return entry.expirationTime == null && entry.ttl == null ? { expirationTime, ttl } : {}
}

function raise(error: unknown): never {
  throw error
}

/** Says in which entry of many something is wrong. */
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
