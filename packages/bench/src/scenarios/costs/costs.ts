import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child, nodeCommand } from '../../processes/child.ts'
import { atMost, goal, megabytes, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { median } from '../../workload/statistics.ts'
import type { DurableNodeHandlers, DurableNodeOptions } from './durable-node-main.ts'
import type { ExchangeHandlers } from './exchange-main.ts'

/** Measures the figures of docs/records.md and docs/running.md. */
export const costs: Scenario = {
  name: 'costs',
  title: 'Cost of records at a node: signatures and schemas, memory and disk.',
  run
}

const SIZES = {
  full: { keys: 4000, keyRounds: 5, records: 100_000, oneByOne: 1000, rounds: 2 },
  quick: { keys: 20, keyRounds: 1, records: 200, oneByOne: 20, rounds: 1 }
}

type Sizes = typeof SIZES.full
type Figures = Awaited<ReturnType<typeof measure>>

/** Maximum factor by which a signature that was seen before may slow down a get. */
const MAX_SEEN = 1.3

/** Seconds of processor time for a start with 100,000 records. */
const MAX_START_SECONDS = 5

const EXCHANGE = nodeCommand(new URL('exchange-main.ts', import.meta.url))
const DURABLE_NODE = nodeCommand(new URL('durable-node-main.ts', import.meta.url))

async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const figures = await measure(sizes, options)
  return { notes: notes(sizes), tables: tables(figures), goals: goals(figures) }
}

async function measure(sizes: Sizes, { signal, log }: Omit<RunOptions, 'effort'>) {
  await using exchange = new Child<ExchangeHandlers>(EXCHANGE, { signal })
  log('the exchange protocol')
  const keys = await exchange.call('measure', { keys: sizes.keys, rounds: sizes.keyRounds })
  const durableNodes = await Array.fromAsync(
    [undefined, 'relaxed', 'written', 'synced'] as const,
    async (durability) => {
      log(`one node, ${durability ?? 'in memory'}`)
      const rounds = Array.from({ length: sizes.rounds })
      const figures = await Array.fromAsync(rounds, () =>
        measureDurableNode(durability, sizes, signal)
      )
      return { durability: durability ?? 'memory', ...figures.reduce(leastOf) }
    }
  )

  return { keys, durableNodes }
}

/** Takes the lesser of each figure, because other processes use the machine, too. */
function leastOf<T extends Record<string, number>>(a: T, b: T): T {
  const least = Object.entries(a).map(([name, value]) => [name, Math.min(value, b[name] ?? value)])
  return Object.fromEntries(least) as T
}

/** Fills a node, and restarts it if it has a disk. */
async function measureDurableNode(
  durability: DurableNodeOptions['durability'],
  { records, oneByOne }: Sizes,
  signal: AbortSignal
) {
  await using folder = {
    path: await mkdtemp(join(tmpdir(), 'waggle-bench-')),
    [Symbol.asyncDispose]: () => rm(folder.path, { recursive: true, force: true })
  }
  const options = durability ? { durability, dataDir: join(folder.path, 'data') } : {}
  await using node = new Child<DurableNodeHandlers>(DURABLE_NODE, { signal })
  await node.call('start', options)
  const first = await node.call('memory')
  const times = await node.call('storeOneByOne', { from: 0, count: oneByOne })
  const count = records - oneByOne
  const { elapsedMs, cpuMs } = await node.call('storeMany', { from: oneByOne, count })
  const full = await node.call('memory')
  await node.call('stop')

  return {
    elapsedMs: elapsedMs / count,
    cpuUs: (cpuMs * 1000) / count,
    oneByOneMs: median(times),
    firstMB: megabytes(first.rssBytes),
    fullMB: megabytes(full.rssBytes),
    // Infinite without a disk.
    restartMs: durability ? await restart(options, records, signal) : Number.POSITIVE_INFINITY
  }
}

async function restart(options: DurableNodeOptions, records: number, signal: AbortSignal) {
  await using node = new Child<DurableNodeHandlers>(DURABLE_NODE, { signal })
  const { cpuMs } = await node.call('start', options)
  const found = await node.call('records')

  if (found !== records) {
    throw new Error(`the node came back with ${found} of ${records} records`)
  }

  await node.call('stop')
  return cpuMs
}

function tables({ keys, durableNodes }: Figures): Table[] {
  return [
    tableOf('Processor time of three nodes together, per key', keys, {
      ...{ keys: 'name', 'store (µs)': 'store', 'get (µs)': 'get', 'get again (µs)': 'again' }
    }),
    tableOf('One node that keeps what it stores', durableNodes, {
      durability: 'durability',
      'storeMany (records/s)': ({ elapsedMs }) => 1000 / elapsedMs,
      'processor time per record (µs)': 'cpuUs',
      'store, one by one: p50 (ms)': 'oneByOneMs',
      'resident at first (MB)': 'firstMB',
      'resident with all records (MB)': 'fullMB',
      'processor time of the next start (s)': ({ restartMs }) =>
        Number.isFinite(restartMs) ? restartMs / 1000 : null
    })
  ]
}

function goals({ keys, durableNodes }: Figures): Goal[] {
  const [unowned, owned] = [keys[0], keys.at(-1)]
  const restarts = durableNodes.map(({ restartMs }) => restartMs).filter(Number.isFinite)

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

function notes({ keys, keyRounds, records, oneByOne, rounds }: Sizes): string[] {
  return [
    `Three nodes: one of two that both hold every record stores ${figure(keys)} keys at once, and a third one without a cache reads them. Processor time of all three together, threads included, per key; the least of ${keyRounds} rounds. The first get verifies signatures, and the second one knows them.`,
    `One node that knows no other, so that it alone holds what it stores: ${figure(oneByOne)} records of 100 bytes one by one, then others with storeMany, ${figure(records)} in all. Memory is read after several garbage collections. Where there is a disk, the node then starts again. The best of ${rounds} rounds. The process runs from source, so the memory includes what Node needs to read TypeScript.`
  ]
}
