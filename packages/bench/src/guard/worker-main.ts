// A process with nodes of one of the two compared checkouts: its argument is the entry file of `@waggle/dht`.
import { once } from 'node:events'
import { serve } from '../processes/serve.ts'
import { until } from '../processes/until.ts'
import { liveMemory } from '../processes/usage.ts'
import { drive, type Operate } from '../workload/drive.ts'
import { isValueFor, KeyNumbers, keyFor, missingFor, valueFor } from '../workload/records.ts'
import { median } from '../workload/statistics.ts'
import { createNode, type GuardNode } from './adapter.ts'

/** Figures of one turn by their names: the lower, the better. */
export type Turn = Record<string, number>

/** Operations one by one, in flight at a depth, in bulk, and changes of watched keys. */
const COUNTS = { warmUp: 1_500, oneByOne: 400, burst: 2_000, bursts: 3, bulk: 4_000, watch: 300 }
const DEPTH = 50
const WATCHED_KEYS = 10

const [, , entry = ''] = process.argv
const numbers = new KeyNumbers()
const servers: GuardNode[] = []
let writer: GuardNode
let reader: GuardNode

const handlers = {
  /** Starts servers, one after another; resolves with their addresses. */
  async serve({ count, initialPeers }: { count: number; initialPeers: string[] }) {
    while (servers.length < count) {
      const known = [...initialPeers, ...servers.slice(0, 1).map(({ address }) => address)]
      servers.push(await createNode(entry, { initialPeers: known }))
    }

    return servers.map(({ address }) => address)
  },

  /** Starts a client that writes and one that reads, warms everything up, and measures all operations. */
  async measure(initialPeers: string[]): Promise<Turn> {
    writer = await createNode(entry, { isClient: true, initialPeers })
    reader = await createNode(entry, { isClient: true, initialPeers })
    await until('a value is found', async () => {
      const [key = 0] = numbers.take(1)
      return (await store(key)) && (await get(key))
    })
    await oneByOne(COUNTS.warmUp)
    await inFlight()

    return { ...(await oneByOne(COUNTS.oneByOne)), ...(await inFlight()), ...(await watched()) }
  },

  /** Measures a fresh process: loading the package, joining, and the first get; then the idle node's memory. */
  async coldStart(initialPeers: string[]): Promise<Turn> {
    const start = performance.now()
    reader = await createNode(entry, { initialPeers })
    assertRight(await get(0))
    const coldMs = performance.now() - start
    const { rssBytes, usedBytes } = await liveMemory()

    return {
      'cold start (ms)': coldMs,
      'resident memory of a node (MB)': rssBytes / 1e6,
      'live heap of a node (MB)': usedBytes / 1e6
    }
  }
}

export type WorkerHandlers = typeof handlers

serve(handlers)

/** Keys are new each time, so no reply comes from the reader's cache. */
async function oneByOne(count: number): Promise<Turn> {
  const keys = numbers.take(count)
  const p50 = async (operate: Operate) => median((await run(keys, operate, 1)).latenciesMs)

  return {
    'store, p50 (ms)': await p50(store),
    'get, p50 (ms)': await p50(get),
    'get with latest, p50 (ms)': await p50((key) => get(key, { latest: true })),
    'miss, p50 (ms)': await p50(async (key) => (await reader.get(missingFor(key))) === undefined)
  }
}

/** Measures bursts in flight and bulk calls: the median of several. */
async function inFlight(): Promise<Turn> {
  const { burst, bursts, bulk } = COUNTS
  const runs = await Array.fromAsync({ length: bursts }, async () => {
    const keys = numbers.take(burst)
    const many = numbers.take(bulk)
    const each = (ms: number, count: number) => (ms * 1000) / count

    return {
      [`store, ${DEPTH} in flight (µs each)`]: each(
        (await run(keys, store, DEPTH)).elapsedMs,
        burst
      ),
      [`get, ${DEPTH} in flight (µs each)`]: each((await run(keys, get, DEPTH)).elapsedMs, burst),
      [`storeMany of ${bulk} (µs each)`]: each(await timeMs(() => storeMany(many)), bulk),
      [`getMany of ${bulk} (µs each)`]: each(await timeMs(() => getMany(many)), bulk)
    }
  })
  const names = Object.keys(runs[0] ?? {})
  return Object.fromEntries(
    names.map((name) => [name, median(runs.map((each) => each[name] ?? 0))])
  )
}

/** Measures the time from the call of store to the watcher's callback. */
async function watched(): Promise<Turn> {
  const events = new EventTarget()
  const keys = numbers.take(WATCHED_KEYS).map((key) => `watched/${keyFor(key)}`)
  const change = (key: string, value: Uint8Array) => `${key} ${Buffer.from(value)}`
  const times: number[] = []

  for (const key of keys) {
    reader.watch(key, (value) => value && events.dispatchEvent(new Event(change(key, value))))
    // Until every replica knows of the watcher, changes take longer.
    await writer.store(key, valueFor(-1))
  }

  for (let i = 0; i < COUNTS.watch; i++) {
    const key = keys[i % keys.length] ?? ''
    const delivered = once(events, change(key, valueFor(i)))
    const start = performance.now()
    const stored = writer.store(key, valueFor(i))
    await delivered
    times.push(performance.now() - start)
    assertRight(await stored)
  }

  return { 'store to watcher, p50 (ms)': median(times) }
}

function store(key: number): Promise<boolean> {
  return writer.store(keyFor(key), valueFor(key))
}

async function get(key: number, options = {}): Promise<boolean> {
  return isValueFor(key, await reader.get(keyFor(key), options))
}

function storeMany(keys: readonly number[]): Promise<boolean> {
  return writer.storeMany(keys.map((key) => ({ key: keyFor(key), value: valueFor(key) })))
}

async function getMany(keys: readonly number[]): Promise<boolean> {
  const found = await reader.getMany(keys.map(keyFor))
  return keys.every((key, i) => isValueFor(key, found[i]))
}

async function run(keys: readonly number[], operate: Operate, inFlight: number) {
  const load = { count: keys.length, inFlight }
  const measured = await drive((index) => operate(keys[index] ?? -1), load)
  assertRight(measured.failed.length === 0, measured.failure)
  return measured
}

async function timeMs(operate: () => Promise<boolean>): Promise<number> {
  const start = performance.now()
  assertRight(await operate())
  return performance.now() - start
}

function assertRight(isRight: boolean, reason = 'a value was not stored or not found'): void {
  if (!isRight) {
    throw new Error(reason)
  }
}
