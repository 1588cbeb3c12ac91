import { medianOf, percentile, total } from '../../statistics.ts'
import type { BulkOperation, Operation } from '../../systems/handlers.ts'
import { type Measured, rate } from '../../workload/drive.ts'
import type { BulkRun, Costly, SystemRound } from './measure-system.ts'

/** What one kind of operation took: medians over the rounds, failures of all of them. */
export interface Latency {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly failed: number
  readonly count: number
}

/** The same, and the CPU time that one operation took. */
export interface Cost extends Latency {
  readonly clientCPUMs: number
  readonly serversCPUMs: number
}

/** The same, and operations per second. */
export interface Throughput extends Latency {
  readonly rate: number
}

export interface BulkFigures {
  readonly operation: BulkOperation
  readonly count: number

  /** Keys per second. */
  readonly rate: number
  readonly failed: number
  readonly growthBytes: number
}

/** What one system did, over all rounds. */
export interface Figures {
  readonly oneByOne: Readonly<Partial<Record<Operation, Cost>>>
  readonly inFlight: Readonly<Record<'store' | 'get', Throughput>>
  readonly bulk: readonly BulkFigures[]
  readonly afterCrash: Latency
  readonly startBytes: number
  readonly loadedBytes: number
}

/** What the rounds of one system come to. */
export function figuresOf(rounds: readonly SystemRound[]): Figures {
  const operations = Object.keys(rounds[0]?.oneByOne ?? {}) as Operation[]

  return {
    oneByOne: Object.fromEntries(
      operations.map((operation) => [
        operation,
        cost(rounds.flatMap(({ oneByOne }) => oneByOne[operation] ?? []))
      ])
    ),
    inFlight: {
      store: throughput(rounds.flatMap(({ inFlight }) => inFlight.store)),
      get: throughput(rounds.flatMap(({ inFlight }) => inFlight.get))
    },
    bulk: bulkFigures(rounds),
    afterCrash: latency(rounds.map(({ afterCrash }) => afterCrash)),
    startBytes: medianOf(rounds, ({ startBytes }) => startBytes),
    loadedBytes: medianOf(rounds, ({ loadedBytes }) => loadedBytes)
  }
}

/** Medians over what was measured several times. */
export function latency(measured: readonly Measured[]): Latency {
  return {
    p50Ms: medianOf(measured, ({ latenciesMs }) => percentile(latenciesMs, 0.5)),
    p95Ms: medianOf(measured, ({ latenciesMs }) => percentile(latenciesMs, 0.95)),
    failed: total(measured.map(({ failed }) => failed.length)),
    count: total(measured.map(({ latenciesMs }) => latenciesMs.length))
  }
}

/** Medians over what was measured several times. */
export function throughput(measured: readonly Measured[]): Throughput {
  return { ...latency(measured), rate: medianOf(measured, rate) }
}

function cost(measured: readonly Costly[]): Cost {
  return {
    ...latency(measured),
    clientCPUMs: medianOf(measured, ({ clientCPUMs }) => clientCPUMs),
    serversCPUMs: medianOf(measured, ({ serversCPUMs }) => serversCPUMs)
  }
}

function bulkFigures(rounds: readonly SystemRound[]): BulkFigures[] {
  return (rounds[0]?.bulk ?? []).map((_, index) => {
    const runs = rounds.flatMap(({ bulk }) => bulk[index] ?? [])
    return { ...medianRun(runs), failed: total(runs.map(({ failed }) => failed.length)) }
  })
}

function medianRun(runs: readonly BulkRun[]): Omit<BulkFigures, 'failed'> {
  const [{ operation, count } = { operation: 'getMany' as const, count: 0 }] = runs

  return {
    operation,
    count,
    rate: medianOf(runs, ({ elapsedMs, failed }) => ((count - failed.length) / elapsedMs) * 1000),
    growthBytes: medianOf(runs, ({ growthBytes }) => growthBytes)
  }
}
