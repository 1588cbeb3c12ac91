import { BARE, LAYERS } from '../../floor/bare-node.ts'
import type { Operation } from '../../systems/client-main.ts'
import type { Contestant } from '../../systems/contestants.ts'
import { titleOf } from '../../systems/turns.ts'
import { type Latency, latencyOf, type Measured } from '../../workload/drive.ts'
import { medianOf, totalOf } from '../../workload/statistics.ts'
import type { BulkRun, Costly, FloorRound, SystemRound } from './measure.ts'

/** Figures of one system or of bare streams: a row in the tables. */
export interface Figures extends Partial<Record<Operation | 'stores' | 'gets' | 'crash', Latency>> {
  readonly title: string
  readonly name?: string
  readonly storeCPU?: CPU
  readonly getCPU?: CPU
  readonly bulk?: readonly ReturnType<typeof bulkOf>[]
  readonly startBytes?: number
  readonly loadedBytes?: number
}

type CPU = Pick<Costly, 'clientCPUMs' | 'serversCPUMs'>

/** Summarizes the rounds of a system: medians, and failures added up. */
export function figuresOf(contestant: Contestant, rounds: readonly SystemRound[]): Figures {
  const [first] = rounds
  const { name } = contestant
  const title = titleOf(contestant, first !== undefined)

  if (first === undefined) {
    return { name, title }
  }

  const oneByOne = (operation: Operation) =>
    rounds.flatMap((round) => round.oneByOne[operation] ?? [])
  const all = { store: oneByOne('store'), get: oneByOne('get'), latest: oneByOne('latest') }

  return {
    name,
    title,
    ...latencies({
      ...all,
      miss: oneByOne('miss'),
      stores: rounds.flatMap(({ stores }) => stores),
      gets: rounds.flatMap(({ gets }) => gets),
      crash: rounds.map(({ crash }) => crash)
    }),
    storeCPU: cpuOf(all.store),
    getCPU: cpuOf(all.get),
    bulk: first.bulk.map((_, i) => bulkOf(rounds.flatMap(({ bulk }) => bulk[i] ?? []))),
    startBytes: medianOf(rounds, ({ startBytes }) => startBytes),
    loadedBytes: medianOf(rounds, ({ loadedBytes }) => loadedBytes)
  }
}

/** Summarizes bare streams: one row for each kind. */
export function floorFigures(floors: readonly (readonly FloorRound[])[]): Figures[] {
  return LAYERS.map((layers, i) => {
    const of = (which: keyof FloorRound) => floors.flatMap((rounds) => rounds[i]?.[which] ?? [])
    const all = { store: of('store'), get: of('get'), stores: of('stores'), gets: of('gets') }
    return { title: BARE[layers], ...latencies(all) }
  })
}

function latencies(measured: Readonly<Record<string, readonly Measured[]>>): Partial<Figures> {
  return Object.fromEntries(
    Object.entries(measured).flatMap(([name, all]) =>
      all.length > 0 ? [[name, latencyOf(all)]] : []
    )
  )
}

function cpuOf(measured: readonly Costly[]): CPU {
  return {
    clientCPUMs: medianOf(measured, ({ clientCPUMs }) => clientCPUMs),
    serversCPUMs: medianOf(measured, ({ serversCPUMs }) => serversCPUMs)
  }
}

function bulkOf(runs: readonly BulkRun[]) {
  const { by, keys } = runs[0] as BulkRun

  return {
    by,
    keys,
    rate: medianOf(runs, ({ elapsedMs, failed }) => ((keys - failed.length) / elapsedMs) * 1000),
    failed: totalOf(runs, ({ failed }) => failed.length),
    growthBytes: medianOf(runs, ({ growthBytes }) => growthBytes)
  }
}
