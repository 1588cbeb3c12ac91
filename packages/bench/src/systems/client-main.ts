// The process that measures the system that its argument names: one client writes, and one reads keys that
// it has never seen, so that no reply comes from a cache of its own.
import { serve } from '../processes/serve.ts'
import { collectedBytes, liveMemory, peakOf, type Usage, usage } from '../processes/usage.ts'
import { drive, type Load, type Measured, type Operate } from '../workload/drive.ts'
import { isValueFor, keyFor, missingFor, valueFor } from '../workload/records.ts'
import { deliveries } from './deliveries.ts'
import type { Client, Entry, Place } from './system.ts'
import { loadSystem } from './systems.ts'

/** A miss is a get of a key that nobody stored. */
export type Operation = 'store' | 'get' | 'latest' | 'miss'
export type BulkOperation = 'storeMany' | 'getMany'

/** Keys go by numbers: each language has keys and values of its own for them. */
export interface KeyNumbersOf<T> {
  readonly operation: T
  readonly keys: readonly number[]
}

/** Time of a bulk call, and the indexes of its failed keys. */
export interface BulkMeasured {
  readonly elapsedMs: number
  readonly failed: readonly number[]
}

/** Functions of the clients' process, in whatever language it is written. */
export type ClientHandlers = {
  /** Joins; `servers` are the addresses of all of them. Resolves when both clients know the network. */
  start(params: { readonly servers: readonly string[] } & Place): Promise<void>

  /** Runs one operation on each key. */
  run(params: KeyNumbersOf<Operation> & Omit<Load, 'count'>): Promise<Measured>

  /** Watches keys, changes each `warmUp` times, and measures one more change of each until it is delivered. */
  watch(params: { readonly keys: readonly number[]; readonly warmUp: number }): Promise<Measured>

  /** Makes one call for all keys. */
  bulk(params: KeyNumbersOf<BulkOperation>): Promise<BulkMeasured>

  /** Makes the same call; resolves with the peak of memory in use, in bytes. Only in Node. */
  bulkMemory(params: KeyNumbersOf<BulkOperation>): Promise<number>
  usage(): Usage
}

const system = await loadSystem(process.argv[2])

/** Interval of collecting garbage while memory is measured. */
const COLLECT_MS = 100

/** Number of a value that is never stored. */
const NOBODY = -1

let writer: Client
let reader: Client

const operations: Readonly<Record<Operation, Operate>> = {
  store: (key) => writer.store(keyFor(key), valueFor(key)),
  get: async (key) => isValueFor(key, await reader.get(keyFor(key))),
  latest: async (key) => isValueFor(key, await reader.latest?.(keyFor(key))),
  miss: async (key) => (await reader.get(missingFor(key))) === undefined
}

serve({
  async start({ servers: { length: count }, ...place }) {
    writer = await system.startClient(place)
    reader = await system.startClient(place)
    await writer.settle(count)
    await reader.settle(count)
  },

  async run({ operation, keys, ...load }) {
    for (const key of keys) {
      operation === 'miss'
        ? reader.prepare?.(missingFor(key), valueFor(NOBODY))
        : reader.prepare?.(keyFor(key), valueFor(key))
    }

    return drive((index) => operations[operation](keys[index] ?? index), {
      count: keys.length,
      ...load
    })
  },

  watch: (params) => deliveries(writer, reader, params),

  async bulk(params) {
    const start = performance.now()
    // A call that rejects has failed for all of its keys.
    const isRight = await bulk(params).catch(() => () => false)
    const elapsedMs = performance.now() - start
    return { elapsedMs, failed: params.keys.flatMap((_, i) => (isRight(i) ? [] : i)) }
  },

  async bulkMemory(params) {
    const { usedBytes } = await liveMemory()
    return peakOf(
      () => collectedBytes() - usedBytes,
      COLLECT_MS,
      async () => void (await bulk(params))
    )
  },

  usage
} satisfies ClientHandlers)

/** Resolves with a check of each key, which is not part of the measured time. */
async function bulk({
  operation,
  keys
}: KeyNumbersOf<BulkOperation>): Promise<(index: number) => boolean> {
  if (operation === 'storeMany') {
    const stored = (await writer.storeMany?.(entriesFor(keys))) ?? []
    return (index) => stored[index] === true
  }

  const found = (await reader.getMany?.(keys.map(keyFor))) ?? []
  return (index) => isValueFor(keys[index] ?? index, found[index])
}

/** Yields entries one by one, so that the client need not hold them all. */
function* entriesFor(keys: readonly number[]): Generator<Entry> {
  for (const key of keys) {
    yield { key: keyFor(key), value: valueFor(key) }
  }
}
