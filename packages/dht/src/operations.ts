import type { Logger, PeerId } from '@libp2p/interface'
import { type Found, type Key, recordKey, type Value, view } from '@waggle/record'
import { BATCH_PARALLELISM } from './constants.ts'
import { anySignal, withDeadline } from './deadline.ts'
import type {
  CallOptions,
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions,
  WaggleOperations
} from './interface.ts'
import type { Replicas } from './replicas/replicas.ts'
import type { RecordStore } from './store/record-store.ts'
import { deleting, storing, type Write, type WriteRules } from './writes.ts'

export interface OperationsInit {
  readonly replicas: Replicas

  /** For its limits and its clock. */
  readonly store: RecordStore
  readonly numReplicas: number
  readonly log: Logger

  /** Aborted when the node stops. */
  readonly lifetime: AbortSignal
}

/** Seconds; a float has room for it until the year 2242. */
const CLOCK_STEP = 1e-6

/** Checks what callers pass, and has the replicas do it in time. */
export class Operations implements WaggleOperations {
  readonly #init: OperationsInit
  #lastWrite = 0

  constructor(init: OperationsInit) {
    this.#init = init
  }

  async store(key: Key, value: Value, options: StoreOptions): Promise<boolean> {
    assertOptions('store', options)
    const write = storing({ ...options, key, value }, this.#rules())
    return this.#call('store', options, (signal) => this.#write(write, signal))
  }

  async delete(key: Key, options: DeleteOptions): Promise<boolean> {
    assertOptions('delete', options)
    const write = deleting({ ...options, key }, this.#rules())
    return this.#call('delete', options, (signal) => this.#write(write, signal))
  }

  async get(key: Key, options: GetOptions = {}): Promise<Found | undefined> {
    const bytes = recordKey(key, this.#init.store.limits)
    return this.#call('get', options, (signal) => this.#read(bytes, { ...options, signal }))
  }

  async storeMany(
    entries: Iterable<StoreEntry>,
    options: StoreManyOptions = {}
  ): Promise<boolean[]> {
    assertMany('entries', entries)
    const rules = this.#rules()
    const { expirationTime, ttl } = options
    const writes = Array.from(entries, (entry, index) =>
      inEntry(index, () =>
        storing({ ...entry, ...(hasLifetime(entry) ? {} : { expirationTime, ttl }) }, rules)
      )
    )

    return this.#call('storeMany', options, (signal) =>
      mapParallel(writes, (write) => this.#write(write, signal))
    )
  }

  async getMany(keys: Iterable<Key>, options: GetManyOptions = {}): Promise<(Found | undefined)[]> {
    assertMany('keys', keys)
    const { onProgress } = options
    const wanted = Array.from(keys, (key, index) =>
      inEntry(index, () => ({ key, bytes: recordKey(key, this.#init.store.limits) }))
    )

    return this.#call('getMany', options, (signal) =>
      mapParallel(wanted, async ({ key, bytes }, index) => {
        const found = await this.#read(bytes, { ...options, signal })
        onProgress?.(
          found ? { name: 'found', index, key, found } : { name: 'not-found', index, key }
        )
        return found
      })
    )
  }

  async findNearestPeers(key: Key, options: FindNearestPeersOptions = {}): Promise<PeerId[]> {
    const { replicas, numReplicas, store } = this.#init
    const { count = numReplicas } = options
    const bytes = recordKey(key, store.limits)

    if (!Number.isInteger(count) || count < 1) {
      throw new TypeError(`count must be a whole number from 1 up, got ${count}`)
    }

    return this.#call('findNearestPeers', options, (signal) =>
      replicas.nearest(bytes, count, { signal })
    )
  }

  async #write({ key, record, isLive }: Write, signal: AbortSignal): Promise<boolean> {
    if (!isLive) {
      return false
    }

    const outcomes = await this.#init.replicas.write(key, record, { signal })
    return outcomes.includes('accepted') && !outcomes.includes('stale')
  }

  async #read(key: Uint8Array, options: GetOptions): Promise<Found | undefined> {
    const { replicas, store, lifetime, log } = this.#init
    const reading = await replicas.read(key, options)

    if (reading.behind.length > 0) {
      replicas.repair(key, reading, { signal: lifetime }).catch((error) => {
        log('could not repair all replicas - %e', error)
      })
    }

    return view(reading.record, store.clock())
  }

  /** Time rises from write to write: of two within a clock's tick, with the same ttl, the later wins. */
  #rules(): WriteRules {
    const { clock, limits } = this.#init.store
    this.#lastWrite = Math.max(clock(), this.#lastWrite + CLOCK_STEP)
    return { now: this.#lastWrite, limits }
  }

  #call<T>(
    name: string,
    { signal, timeoutMs }: CallOptions,
    call: (signal: AbortSignal) => Promise<T>
  ): Promise<T> {
    return withDeadline(name, { signal: anySignal(this.#init.lifetime, signal), timeoutMs }, call)
  }
}

/** Applies an async function to all items, a few at a time, and keeps their order. */
async function mapParallel<T, U>(
  items: readonly T[],
  apply: (item: T, index: number) => Promise<U>
): Promise<U[]> {
  const results: U[] = new Array(items.length)
  const queue = items.entries()

  async function work(): Promise<void> {
    for (const [index, item] of queue) {
      results[index] = await apply(item, index)
    }
  }

  await Promise.all(Array.from({ length: BATCH_PARALLELISM }, work))
  return results
}

function hasLifetime({ expirationTime, ttl }: StoreEntry): boolean {
  return expirationTime != null || ttl != null
}

function assertOptions(name: string, options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `${name} needs options with an expirationTime or a ttl, such as { ttl: 600 }, got ${options}`
    )
  }
}

/** A string or bytes are one key: to read each character or byte as one is never what is meant. */
function assertMany(name: string, given: unknown): void {
  const isOneKey = typeof given === 'string' || given instanceof Uint8Array

  if (isOneKey || typeof Object(given)[Symbol.iterator] !== 'function') {
    throw new TypeError(`${name} must be an array or another iterable, got ${typeof given}`)
  }
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
