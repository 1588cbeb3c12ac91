// The process that measures the system that its argument names: one client writes, and one reads keys that
// it has never seen, so that no reply comes from a cache of its own. Processes in other languages have the same
// functions.
import { serve } from '../processes/serve.ts'
import { collectedBytes, liveMemory, peakOf, usage } from '../processes/usage.ts'
import { drive, type Load, type Measured, type Operate } from '../workload/drive.ts'
import { isValueFor, keyFor, missingFor, valueFor } from '../workload/records.ts'
import { deliveries } from './deliveries.ts'
import type { Client, Entry, Place } from './system.ts'
import { loadSystem } from './systems.ts'

/** An operation; a miss is a get of a key that was never stored. */
export type Operation = 'store' | 'get' | 'latest' | 'miss'
export type BulkOperation = 'storeMany' | 'getMany'

/** Time of a bulk call, and the indexes of its failed keys. */
export interface BulkMeasured {
  readonly elapsedMs: number
  readonly failed: readonly number[]
}

/** Keys by their numbers: each language derives its own keys and values from them. */
interface Keys<T> {
  readonly operation: T
  readonly keys: readonly number[]
}

const system = await loadSystem(process.argv)

/** Interval of collecting garbage while memory is measured. */
const COLLECT_MS = 100

/** Number of a value that is never stored. */
const NEVER_STORED = -1

let writer: Client
let reader: Client

const operations: Readonly<Record<Operation, Operate>> = {
  store: (key) => writer.store(keyFor(key), valueFor(key)),
  get: async (key) => isValueFor(key, await reader.get(keyFor(key))),
  latest: async (key) => isValueFor(key, await reader.latest?.(keyFor(key))),
  miss: async (key) => (await reader.get(missingFor(key))) === undefined
}

const handlers = {
  /** Joins; `servers` are the addresses of all servers. Resolves when both clients know the network. */
  async start({ servers, ...place }: Place & { servers: readonly string[] }): Promise<void> {
    writer = await system.startClient(place)
    reader = await system.startClient(place)
    await writer.settle(servers.length)
    await reader.settle(servers.length)
  },

  /** Runs one operation on each key. */
  run({ operation, keys, ...load }: Keys<Operation> & Omit<Load, 'count'>): Promise<Measured> {
    for (const key of keys) {
      operation === 'miss'
        ? reader.prepare?.(missingFor(key), valueFor(NEVER_STORED))
        : reader.prepare?.(keyFor(key), valueFor(key))
    }

    const operate: Operate = (index) => operations[operation](keys[index] ?? index)
    return drive(operate, { count: keys.length, ...load })
  },

  /** Watches keys, changes each `warmUp` times, and measures one more change of each until it is delivered. */
  watch: (params: { readonly keys: readonly number[]; readonly warmUp: number }) =>
    deliveries(writer, reader, params),

  /** Makes one call for all keys. */
  async bulk(params: Keys<BulkOperation>): Promise<BulkMeasured> {
    const start = performance.now()
    // A call that rejects counts as failed for all of its keys.
    const isRight = await bulk(params).catch(() => () => false)
    const elapsedMs = performance.now() - start
    return { elapsedMs, failed: params.keys.flatMap((_, i) => (isRight(i) ? [] : i)) }
  },

  /** Makes the same call; resolves with the peak of memory in use, in bytes. Only in Node. */
  async bulkMemory(params: Keys<BulkOperation>): Promise<number> {
    const { usedBytes } = await liveMemory()
    const run = async () => void (await bulk(params))
    return peakOf(() => collectedBytes() - usedBytes, COLLECT_MS, run)
  },

  usage
}

export type ClientHandlers = typeof handlers

serve(handlers)

/** Resolves with a check of each key, which is not part of the measured time. */
async function bulk({ operation, keys }: Keys<BulkOperation>) {
  if (operation === 'storeMany') {
    const stored = (await writer.storeMany?.(entriesFor(keys))) ?? []
    return (index: number): boolean => stored[index] === true
  }

  const found = (await reader.getMany?.(keys.map(keyFor))) ?? []
  return (index: number): boolean => isValueFor(keys[index] ?? index, found[index])
}

/** Yields entries one by one, so that the client need not hold them all. */
function* entriesFor(keys: readonly number[]): Generator<Entry> {
  for (const key of keys) {
    yield { key: keyFor(key), value: valueFor(key) }
  }
}
