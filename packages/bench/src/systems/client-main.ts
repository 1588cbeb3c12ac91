// The process that measures the system named as its argument: a node that writes, and one that reads what
// it has never seen, so that no answer comes from a cache of its own.
import { collectedBytes, liveMemory } from '../processes/live-memory.ts'
import { serve } from '../processes/serve.ts'
import { usage } from '../processes/usage.ts'
import { drive, type Operate } from '../workload/drive.ts'
import { peakOf } from '../workload/peak.ts'
import { isValueFor, keyFor, missingFor, valueFor } from '../workload/records.ts'
import { deliveries } from './deliveries.ts'
import type { BulkParams, ClientHandlers, Operation } from './handlers.ts'
import type { Client, Entry } from './system.ts'
import { loadSystem } from './systems.ts'

const system = await loadSystem(process.argv[2])

/** How often memory is looked at: reading is cheap, collecting garbage is not. */
const SAMPLE_MS = 10
const COLLECT_MS = 100

/** The number of a value that is never stored. */
const NOBODY = -1

let clients: { readonly writer: Client; readonly reader: Client } | undefined

serve<ClientHandlers>({
  async start({ servers: { length: count }, ...place }) {
    const writer = await system.startClient(place)
    const reader = await system.startClient(place)
    clients = { writer, reader }
    await writer.settle(count)
    await reader.settle(count)
  },

  async run({ operation, keys, ...load }) {
    const operate = operations()[operation]
    prepare(operation, keys)
    return drive((index) => operate(keys[index] ?? index), { count: keys.length, ...load })
  },

  async watch(params) {
    return deliveries(started(), params)
  },

  async bulk(params) {
    let elapsedMs = 0
    let failed: readonly number[] = []
    const before = process.memoryUsage.rss()
    const growth = { figure: () => process.memoryUsage.rss() - before, everyMs: SAMPLE_MS }
    const growthBytes = await peakOf(growth, async () => {
      const start = performance.now()
      // One that rejects has failed for all of its keys.
      const isRight = await bulk(params).catch(() => () => false)
      elapsedMs = performance.now() - start
      failed = params.keys.flatMap((_, index) => (isRight(index) ? [] : [index]))
    })

    return { elapsedMs, failed, growthBytes }
  },

  async bulkMemory(params) {
    const { usedBytes } = await liveMemory()
    const growth = { figure: () => collectedBytes() - usedBytes, everyMs: COLLECT_MS }

    return peakOf(growth, async () => {
      await bulk(params)
    })
  },

  usage
})

function operations(): Readonly<Record<Operation, Operate>> {
  const { writer, reader } = started()

  return {
    store: (key) => writer.store(keyFor(key), valueFor(key)),
    get: async (key) => isValueFor(key, await reader.get(keyFor(key))),
    latest: async (key) => isValueFor(key, await reader.latest?.(keyFor(key))),
    miss: async (key) => (await reader.get(missingFor(key))) === undefined
  }
}

/** Makes what is not to be measured. */
function prepare(operation: Operation, keys: readonly number[]): void {
  for (const key of keys) {
    if (operation === 'miss') {
      started().reader.prepare?.(missingFor(key), valueFor(NOBODY))
    } else {
      started().reader.prepare?.(keyFor(key), valueFor(key))
    }
  }
}

/** Answers how to tell which went well: that takes time, too, and is not to be measured. */
async function bulk({ operation, keys }: BulkParams): Promise<(index: number) => boolean> {
  const { writer, reader } = started()

  if (operation === 'storeMany') {
    const stored = (await writer.storeMany?.(entriesFor(keys))) ?? []
    return (index) => stored[index] === true
  }

  const found = (await reader.getMany?.(keys.map(keyFor))) ?? []
  return (index) => isValueFor(keys[index] ?? index, found[index])
}

/** One by one, so that the client need not hold them all. */
function* entriesFor(keys: readonly number[]): Generator<Entry> {
  for (const key of keys) {
    yield { key: keyFor(key), value: valueFor(key) }
  }
}

function started(): { readonly writer: Client; readonly reader: Client } {
  if (clients === undefined) {
    throw new Error('start comes first')
  }

  return clients
}
