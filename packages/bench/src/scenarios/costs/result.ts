import { goal } from '../../goal.ts'
import type { Goal, ScenarioResult, Table } from '../../interface.ts'
import { figure } from '../../report/figure.ts'
import type { CostFigures, CostSizes } from './costs.ts'
import type { ExchangeFigure } from './exchange-main.ts'

const BYTES_PER_MB = 1e6

/** What a signature that was seen before may add to a get. */
const MAX_SEEN = 1.3

/** For a start with 100,000 records. */
const MAX_START_SECONDS = 5

export function resultOf(
  { checks, exchange, keeper }: CostSizes,
  figures: CostFigures
): ScenarioResult {
  return {
    notes: [
      `A write that comes in is read, checked and held, with a value of 100 bytes, under a key that the node does not hold yet: processor time of the fastest of ${checks.rounds} rounds, each with ${figure(checks.writes)} keys, or ${figure(checks.slowWrites)} where a signature is made or verified.`,
      `Three nodes: ${figure(exchange.keys)} keys are stored at once by one of two that both hold them, and read by a third that caches nothing. Processor time of all three together, threads included, a key; the least of ${exchange.rounds} rounds.`,
      `One node: it knows no other, so that it alone holds what it stores: ${figure(keeper.oneByOne)} records of 100 bytes one by one, then others with storeMany, ${figure(keeper.records)} in all. Memory is read after some collections of garbage. Then, where there is a disk, it is started again. The best of ${keeper.rounds} rounds. The process reads the source, and what Node needs to read TypeScript counts, too.`
    ],
    tables: [checkTable(figures), exchangeTable(figures), keeperTable(figures)],
    charts: [],
    goals: goals(figures)
  }
}

function checkTable({ checks }: CostFigures): Table {
  return {
    title: 'What a node spends on a write that comes in: read, checked, held',
    columns: [{ title: 'write' }, { title: 'processor time', unit: 'µs' }],
    rows: checks.map(({ name, nanoseconds }) => [name, nanoseconds / 1000])
  }
}

function exchangeTable({ exchange }: CostFigures): Table {
  return {
    title: 'What three nodes spend together, a key',
    columns: [
      { title: 'keys' },
      { title: 'store', unit: 'µs' },
      { title: 'get', unit: 'µs' },
      { title: 'get again', unit: 'µs' }
    ],
    rows: exchange.map(({ name, store, get, again }) => [name, store, get, again])
  }
}

function keeperTable({ keepers }: CostFigures): Table {
  return {
    title: 'One node that keeps what it stores',
    columns: [
      { title: 'durability' },
      { title: 'storeMany', unit: 'records/s' },
      { title: 'processor time for one', unit: 'µs' },
      { title: 'store, one by one: p50', unit: 'ms' },
      { title: 'resident at first', unit: 'MB' },
      { title: 'resident with all', unit: 'MB' },
      { title: 'starting again: processor time', unit: 's' }
    ],
    rows: keepers.map((keeper) => [
      keeper.durability ?? 'memory',
      keeper.recordsPerSecond,
      keeper.cpuUsPerRecord,
      keeper.oneByOneMs,
      keeper.firstBytes / BYTES_PER_MB,
      keeper.fullBytes / BYTES_PER_MB,
      keeper.startCpuSeconds ?? null
    ])
  }
}

function goals({ exchange, keepers }: CostFigures): Goal[] {
  const [nobodys, owned] = [exchange[0], exchange.at(-1)]
  const starts = keepers.flatMap(({ startCpuSeconds }) => startCpuSeconds ?? [])

  return [
    goal(`owned keys that were seen before: a get costs at most ${MAX_SEEN} × that of others`, {
      value: nobodys && owned && timesAsMuch(owned, nobodys),
      isGood: (value) => value <= MAX_SEEN,
      show: (value) => `${figure(value)} ×`
    }),
    goal(`a node with a disk starts again with at most ${MAX_START_SECONDS} s of processor time`, {
      value: Math.max(...starts),
      isGood: (value) => value <= MAX_START_SECONDS,
      show: (value) => `${figure(value)} s at most`
    })
  ]
}

function timesAsMuch(a: ExchangeFigure, b: ExchangeFigure): number {
  return a.again / b.again
}
