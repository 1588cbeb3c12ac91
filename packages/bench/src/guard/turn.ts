import { Child, nodeCommand } from '../processes/child.ts'
import { megabytes } from '../result/build.ts'
import type { BulkOperation, Operation } from '../systems/client-main.ts'
import { waggleOf } from '../systems/contestants.ts'
import { Network } from '../systems/network.ts'
import { KeyNumbers } from '../workload/records.ts'
import { median, medianOf } from '../workload/statistics.ts'
import type { ColdHandlers } from './cold-main.ts'

/** Figures of one turn by their names: the lower, the better. */
export type Turn = Record<string, number>

/** Servers of each process: more than a record has replicas. */
const NODES_OF_PROCESSES = [4, 4]

/** Operations one by one, in flight and in bulk, and changes of watched keys. */
const COUNTS = { warmUp: 1_500, oneByOne: 400, burst: 2_000, bulk: 4_000, watch: 200 }
const OPERATIONS = ['store', 'get', 'latest', 'miss'] as const
const BURSTS = 3
const DEPTH = 50
const COLD = new URL('cold-main.ts', import.meta.url)

/** Starts a network of the checkout with that entry file, and measures everything on it. */
export async function takeTurn(entry: string, signal: AbortSignal): Promise<Turn> {
  const contestant = waggleOf(entry)
  const options = { contestant, nodesOfProcesses: NODES_OF_PROCESSES, signal }
  await using network = await Network.start(options)
  const numbers = new KeyNumbers()
  await measureSingle(network, numbers.take(COUNTS.warmUp))

  return {
    // Before the bulk calls: servers compare all their records soon after they met, and calls wait meanwhile.
    ...(await measureSingle(network, numbers.take(COUNTS.oneByOne))),
    ...(await measureMany(network, numbers)),
    ...(await measureWatch(network, numbers.take(COUNTS.watch))),
    ...(await measureCold(network, entry, signal))
  }
}

/** Measures operations one by one. Keys are new, so no reply comes from the reader's cache. */
async function measureSingle(network: Network, keys: readonly number[]): Promise<Turn> {
  const cpuMs = async () =>
    (await network.client.call('usage')).cpuMs + (await network.serversUsage()).cpuMs
  const turns = await Array.fromAsync(OPERATIONS, async (operation) => {
    const before = await cpuMs()
    const { latenciesMs } = await run(network, operation, keys, 1)
    const cpu = ((await cpuMs()) - before) / keys.length
    return { [`${operation}, p50 (ms)`]: median(latenciesMs), [`${operation}, CPU (ms)`]: cpu }
  })

  return Object.assign({}, ...turns)
}

/** Measures bursts in flight and bulk calls: the median of several. */
async function measureMany(network: Network, numbers: KeyNumbers): Promise<Turn> {
  const { burst, bulk } = COUNTS
  const turns = await Array.fromAsync({ length: BURSTS }, async () => {
    const keys = numbers.take(burst)
    const many = numbers.take(bulk)

    return {
      [`store, ${DEPTH} in flight (µs each)`]: await perKey(
        run(network, 'store', keys, DEPTH),
        keys
      ),
      [`get, ${DEPTH} in flight (µs each)`]: await perKey(run(network, 'get', keys, DEPTH), keys),
      [`storeMany of ${bulk} (µs each)`]: await perKey(runBulk(network, 'storeMany', many), many),
      [`getMany of ${bulk} (µs each)`]: await perKey(runBulk(network, 'getMany', many), many)
    } as Turn
  })
  const figures = Object.keys(turns[0] ?? {})
  const of = (name: string) => medianOf(turns, (turn) => turn[name] ?? Number.NaN)
  return Object.fromEntries(figures.map((name) => [name, of(name)]))
}

/** Measures the time from the call of store to the watcher's callback. */
async function measureWatch(network: Network, keys: readonly number[]): Promise<Turn> {
  const measured = assertRight(await network.client.call('watch', { keys, warmUp: 2 }))
  return { 'store to watcher, p50 (ms)': median(measured.latenciesMs) }
}

async function measureCold({ place }: Network, entry: string, signal: AbortSignal): Promise<Turn> {
  await using child = new Child<ColdHandlers>(nodeCommand(COLD, entry), { signal })
  const cold = await child.call('start', { ...place, key: 0 })
  assertRight({ failed: cold.isRight ? [] : [0] })

  return {
    'cold start (ms)': cold.coldMs,
    'resident memory of a node (MB)': megabytes(cold.rssBytes),
    'live heap of a node (MB)': megabytes(cold.usedBytes)
  }
}

async function run(
  { client }: Network,
  operation: Operation,
  keys: readonly number[],
  inFlight: number
) {
  return assertRight(await client.call('run', { operation, keys, inFlight }))
}

async function runBulk({ client }: Network, operation: BulkOperation, keys: readonly number[]) {
  return assertRight(await client.call('bulk', { operation, keys }))
}

/** Returns microseconds. */
async function perKey(run: Promise<{ elapsedMs: number }>, { length }: readonly number[]) {
  return ((await run).elapsedMs * 1000) / length
}

function assertRight<T extends { failed: readonly number[]; failure?: string }>(measured: T): T {
  if (measured.failed.length > 0) {
    throw new Error(`${measured.failed.length} operations failed: ${measured.failure ?? ''}`)
  }

  return measured
}
