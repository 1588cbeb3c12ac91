import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DHTOptions } from '@waggle/dht'
import { Child, nodeCommand } from '../../processes/child.ts'
import { atMost, goal, megabytes, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { summaryOf } from '../../workload/statistics.ts'
import type { ExchangeHandlers } from './exchange-main.ts'
import type { KeeperHandlers } from './keeper-main.ts'

/** The figures of docs/records.md and docs/running.md come from here. */
export const costs: Scenario = {
  name: 'costs',
  title: 'Cost of records at a node: signatures and schemas, memory and disk.',
  run
}

const SIZES = {
  full: {
    exchange: { keys: 4000, rounds: 5 },
    keeper: { records: 100_000, oneByOne: 1000, rounds: 2 }
  },
  quick: {
    exchange: { keys: 20, rounds: 1 },
    keeper: { records: 200, oneByOne: 20, rounds: 1 }
  }
} as const

type Sizes = (typeof SIZES)['full' | 'quick']

const DURABILITIES = [undefined, 'relaxed', 'written', 'synced'] as const

/** Factor that a signature seen before may add to a get. */
const MAX_SEEN = 1.3

/** Seconds of processor time for a start with 100,000 records. */
const MAX_START_SECONDS = 5

type Figures = Awaited<ReturnType<typeof measure>>

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const figures = await measure(sizes, { signal, log })
  return { notes: notes(sizes), tables: tables(figures), goals: goals(figures) }
}

async function measure(sizes: Sizes, { signal, log }: Pick<RunOptions, 'signal' | 'log'>) {
  await using exchange = child<ExchangeHandlers>('exchange-main.ts', signal)
  log('the exchange protocol')
  const exchangeFigures = await exchange.call('measure', sizes.exchange)
  const keepers = await Array.fromAsync(DURABILITIES, (durability) => {
    log(`one node, ${durability ?? 'in memory'}`)
    return bestKeeper(durability, sizes.keeper, signal)
  })

  return { exchange: exchangeFigures, keepers }
}

function child<H extends Record<string, (params: never) => unknown>>(
  file: string,
  signal: AbortSignal
): Child<H> {
  return new Child<H>(nodeCommand(new URL(file, import.meta.url)), { signal })
}

/** Takes the best round of each figure: other processes use the machine, too. */
async function bestKeeper(
  durability: DHTOptions['durability'],
  load: Sizes['keeper'],
  signal: AbortSignal
) {
  const rounds: Awaited<ReturnType<typeof measureKeeper>>[] = []

  while (rounds.length < load.rounds) {
    rounds.push(await measureKeeper(durability, load, signal))
  }

  return { durability: durability ?? 'memory', ...rounds.reduce(leastOf) }
}

/** Fills a node, and starts it again if it has a disk. */
async function measureKeeper(
  durability: DHTOptions['durability'],
  { records, oneByOne }: Sizes['keeper'],
  signal: AbortSignal
) {
  await using folder = {
    path: await mkdtemp(join(tmpdir(), 'waggle-bench-')),
    [Symbol.asyncDispose]: () => rm(folder.path, { recursive: true, force: true })
  }
  const options = durability === undefined ? {} : { durability, dataDir: join(folder.path, 'data') }
  await using keeper = child<KeeperHandlers>('keeper-main.ts', signal)
  await keeper.call('start', options)
  const first = await keeper.call('memory')
  const times = await keeper.call('storeOneByOne', { from: 0, count: oneByOne })
  const count = records - oneByOne
  const { elapsedMs, cpuMs } = await keeper.call('storeMany', { from: oneByOne, count })
  const full = await keeper.call('memory')
  await keeper.call('stop')

  return {
    elapsedMs: elapsedMs / count,
    cpuMs: cpuMs / count,
    oneByOneMs: summaryOf(times).p50,
    firstBytes: first.rssBytes,
    fullBytes: full.rssBytes,
    // Infinite without a disk.
    restartMs: durability ? await restart(options, records, signal) : Number.POSITIVE_INFINITY
  }
}

/** Takes the lesser one of each figure. */
function leastOf<T extends Record<string, number>>(a: T, b: T): T {
  const least = Object.entries(a).map(([name, value]) => [name, Math.min(value, b[name] ?? value)])
  return Object.fromEntries(least) as T
}

async function restart(options: object, records: number, signal: AbortSignal): Promise<number> {
  await using keeper = child<KeeperHandlers>('keeper-main.ts', signal)
  const { cpuMs } = await keeper.call('start', options)
  const found = await keeper.call('records')

  if (found !== records) {
    throw new Error(`the node came back with ${found} of ${records} records`)
  }

  await keeper.call('stop')
  return cpuMs
}

function tables({ exchange, keepers }: Figures): Table[] {
  return [
    tableOf('Processor time of three nodes together, per key', exchange, {
      keys: 'name',
      'store (µs)': 'store',
      'get (µs)': 'get',
      'get again (µs)': 'again'
    }),
    tableOf('One node that keeps what it stores', keepers, {
      durability: 'durability',
      'storeMany (records/s)': ({ elapsedMs }) => 1000 / elapsedMs,
      'processor time per record (µs)': ({ cpuMs }) => cpuMs * 1000,
      'store, one by one: p50 (ms)': 'oneByOneMs',
      'resident at first (MB)': ({ firstBytes }) => megabytes(firstBytes),
      'resident with all records (MB)': ({ fullBytes }) => megabytes(fullBytes),
      'processor time of the next start (s)': ({ restartMs }) =>
        Number.isFinite(restartMs) ? restartMs / 1000 : null
    })
  ]
}

function goals({ exchange, keepers }: Figures): Goal[] {
  const [unowned, owned] = [exchange[0], exchange.at(-1)]
  const restarts = keepers.map(({ restartMs }) => restartMs).filter(Number.isFinite)

  return [
    goal(
      `owned keys seen before: a get costs at most ${MAX_SEEN} × that of unowned ones`,
      unowned && owned && owned.again / unowned.again,
      atMost(MAX_SEEN),
      (value) => `${figure(value)} ×`
    ),
    goal(
      `a node with a disk starts again with at most ${MAX_START_SECONDS} s of processor time`,
      Math.max(...restarts) / 1000,
      atMost(MAX_START_SECONDS),
      (value) => `${figure(value)} s at most`
    )
  ]
}

function notes({ exchange, keeper }: Sizes): string[] {
  return [
    `Three nodes: one of two that both hold every record stores ${figure(exchange.keys)} keys at once, and a third one without a cache reads them. Processor time of all three together, threads included, per key; the least of ${exchange.rounds} rounds. The first get verifies signatures, and the second one knows them.`,
    `One node that knows no other, so that it alone holds what it stores: ${figure(keeper.oneByOne)} records of 100 bytes one by one, then others with storeMany, ${figure(keeper.records)} in all. Memory is read after several garbage collections. Where there is a disk, the node then starts again. The best of ${keeper.rounds} rounds. The process runs from source, so the memory includes what Node needs to read TypeScript.`
  ]
}
