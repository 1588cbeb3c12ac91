import type { Operation } from '../../systems/client-main.ts'
import type { Contestant } from '../../systems/contestants.ts'
import { titleOf } from '../../systems/turns.ts'
import { type Latency, latencyOf, type Measured } from '../../workload/drive.ts'
import { medianOf, total, totalOf } from '../../workload/statistics.ts'
import type { BareRound, BulkRun, Costly, Plan, SystemRound } from './measure.ts'

/** Figures of one system or of bare streams: a row in the tables. */
export interface Figures extends Partial<Record<Operation | 'stores' | 'gets' | 'crash', Latency>> {
  readonly title: string
  readonly name?: string
  readonly costs?: ReturnType<typeof costsOf>
  readonly bulk?: readonly ReturnType<typeof bulkOf>[]
}

/** Summarizes the rounds of a system: medians, and failures added up. */
export function figuresOf(contestant: Contestant, rounds: readonly SystemRound[]): Figures {
  const [first] = rounds
  const { name } = contestant
  const all = (operation: Operation) => rounds.flatMap(({ oneByOne }) => oneByOne[operation] ?? [])

  return {
    name,
    title: titleOf(contestant, first !== undefined),
    ...latencies({
      ...{ store: all('store'), get: all('get'), latest: all('latest'), miss: all('miss') },
      stores: rounds.flatMap(({ stores }) => stores),
      gets: rounds.flatMap(({ gets }) => gets),
      crash: rounds.map(({ crash }) => crash)
    }),
    ...(first && {
      costs: costsOf(rounds, all('store'), all('get')),
      bulk: first.bulk.map((_, i) => bulkOf(rounds.flatMap(({ bulk }) => bulk[i] ?? [])))
    })
  }
}

/** Summarizes bare streams. */
export function bareFigures(title: string, rounds: readonly BareRound[]): Figures {
  const of = (which: keyof BareRound) => rounds.map((round) => round[which])
  const all = { store: of('store'), get: of('get'), stores: of('stores'), gets: of('gets') }
  return { title, ...latencies(all) }
}

function latencies(measured: Readonly<Record<string, readonly Measured[]>>): Partial<Figures> {
  const found = Object.entries(measured).filter(([, { length }]) => length > 0)
  return Object.fromEntries(found.map(([name, all]) => [name, latencyOf(all)]))
}

function costsOf(
  rounds: readonly SystemRound[],
  stores: readonly Costly[],
  gets: readonly Costly[]
) {
  return {
    startBytes: medianOf(rounds, ({ startBytes }) => startBytes),
    loadedBytes: medianOf(rounds, ({ loadedBytes }) => loadedBytes),
    storeClient: medianOf(stores, ({ clientCPUMs }) => clientCPUMs),
    storeServers: medianOf(stores, ({ serversCPUMs }) => serversCPUMs),
    getClient: medianOf(gets, ({ clientCPUMs }) => clientCPUMs),
    getServers: medianOf(gets, ({ serversCPUMs }) => serversCPUMs)
  }
}

function bulkOf(runs: readonly BulkRun[]) {
  const { by, keys } = runs[0] as BulkRun

  return {
    ...{ by, keys },
    rate: medianOf(runs, ({ elapsedMs, failed }) => ((keys - failed.length) / elapsedMs) * 1000),
    failed: totalOf(runs, ({ failed }) => failed.length)
  }
}

/** All measurements. */
export interface Outcome {
  readonly plan: Plan

  /** Streams as libp2p makes them, and with Waggle's layers. */
  readonly bare: Figures
  readonly layered: Figures
  readonly systems: readonly Figures[]

  /** Latency of Waggle's gets after nodes vanished, if measured. */
  readonly vanished: Latency | undefined
}

/** Describes how many of the nodes are removed. */
export function goneOf({ nodesOfProcesses }: Plan): string {
  return `${nodesOfProcesses.at(-1)} of ${total(nodesOfProcesses)}`
}
