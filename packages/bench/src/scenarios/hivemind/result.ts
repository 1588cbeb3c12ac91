import type { Chart, Goal, ScenarioResult, Table } from '../../interface.ts'
import { meanOf, significant, summaryOf, totalOf } from '../../statistics.ts'
import type { Attempts, Round, Workload } from './workload.ts'

export interface Measured {
  readonly workload: Workload

  /** The rounds of each thread. */
  readonly threads: readonly (readonly Round[])[]
  readonly totalMs: number
  readonly killed: number

  /** Processes that still run at the end. */
  readonly alive: number
}

/** The figures that benchmark_dht.py prints. */
export function resultOf(measured: Measured): ScenarioResult {
  const rounds = measured.threads.flat()
  const stores = sumOf(rounds.map((round) => round.stores))
  const gets = sumOf(rounds.map((round) => round.gets))

  return {
    notes: notesOf(measured, [...stores.faults, ...gets.faults]),
    tables: [wallTimes(measured, { stores, gets }), survival(measured)],
    charts: [timesByRound(measured)],
    goals: [
      isEachRight('stores', stores, measured),
      isEachRight('gets', gets, measured),
      survivors(measured)
    ]
  }
}

function sumOf(attempts: readonly Attempts[]): Attempts {
  return {
    tried: totalOf(attempts, ({ tried }) => tried),
    right: totalOf(attempts, ({ right }) => right),
    faults: attempts.flatMap(({ faults }) => faults)
  }
}

function notesOf({ workload }: Measured, faults: readonly string[]): string[] {
  const { peers, threads, rounds, storePeers, getPeers, initialPeers } = workload
  const notes = [
    `The workload of Hivemind's benchmarks/benchmark_dht.py: ${peers} peers, a process each, on one machine; ${threads} threads of ${rounds} rounds. In each round ${storePeers} random peers store a subkey of their own under one new key, then ${getPeers} random peers get it with latest. Wall times are those of a round, until the slowest peer is done, the way between the driving process and the peers included.`,
    `Each peer was told of ${initialPeers} that ran by then. Peers are killed by SIGKILL, at rounds drawn at random, between storing and getting. As in Hivemind's, those that will be killed store and get nothing, but hold records. Its survival rate counts the dead, too; ours does not.`,
    'A get is right if it shows exactly as many subkeys as were stored, each with its value.'
  ]

  return faults.length === 0 ? notes : [...notes, `What was wrong: ${countsOf(faults)}.`]
}

function countsOf(faults: readonly string[]): string {
  const counts = Map.groupBy(faults, (fault) => fault)
  return Array.from(counts, ([fault, { length }]) => `${fault} (${length} times)`).join('; ')
}

function wallTimes(
  { threads }: Measured,
  { stores, gets }: { stores: Attempts; gets: Attempts }
): Table {
  const rounds = threads.flat()
  const row = (name: string, timesMs: readonly number[], { tried, right }: Attempts) => {
    const { mean, deviation, p50, max } = summaryOf(timesMs)
    const total = mean * timesMs.length
    const times = [mean, deviation, p50, max, total / threads.length, total]
    return [name, ...times.map((time) => significant(time)), tried, right, (100 * right) / tried]
  }

  return {
    title: 'Wall time of a round, and how much went right',
    columns: [
      { title: 'operation' },
      { title: 'mean', unit: 'ms' },
      { title: 'std', unit: 'ms' },
      { title: 'p50', unit: 'ms' },
      { title: 'max', unit: 'ms' },
      { title: 'per worker', unit: 'ms' },
      { title: 'total', unit: 'ms' },
      { title: 'tried' },
      { title: 'right' },
      { title: 'success', unit: '%' }
    ],
    rows: [
      row(
        'store',
        rounds.map(({ storeMs }) => storeMs),
        stores
      ),
      row(
        'get latest',
        rounds.map(({ getMs }) => getMs),
        gets
      )
    ]
  }
}

function survival({ workload, totalMs, killed, alive }: Measured): Table {
  return {
    title: 'The run',
    columns: [
      { title: 'peers' },
      { title: 'threads' },
      { title: 'rounds each' },
      { title: 'total time', unit: 's' },
      { title: 'killed' },
      { title: 'alive at the end' },
      { title: 'survival', unit: '%' }
    ],
    rows: [
      [
        workload.peers,
        workload.threads,
        workload.rounds,
        significant(totalMs / 1000),
        killed,
        alive,
        significant((100 * alive) / workload.peers)
      ]
    ]
  }
}

function timesByRound({ workload, threads }: Measured): Chart {
  const rounds = Array.from({ length: workload.rounds }, (_, i) =>
    threads.flatMap((thread) => thread[i] ?? [])
  )

  return {
    name: 'hivemind-rounds',
    title: 'Wall time of a round, mean of all threads',
    kind: 'lines',
    x: { title: 'round', values: rounds.map((_, i) => i + 1) },
    y: { title: 'ms' },
    series: [
      {
        title: 'store',
        values: rounds.map((round) => significant(meanOf(round.map(({ storeMs }) => storeMs))))
      },
      {
        title: 'get latest',
        values: rounds.map((round) => significant(meanOf(round.map(({ getMs }) => getMs))))
      }
    ]
  }
}

function isEachRight(
  what: string,
  { tried, right }: Attempts,
  { killed, workload }: Measured
): Goal {
  const percent = 100 * workload.failureRate

  return {
    text: `100 % of ${what} right with ${percent} % of the peers killed on the way`,
    measured: `${right} of ${tried} with ${killed} of ${workload.peers} killed`,
    isMet: right === tried && killed >= workload.failureRate * workload.peers
  }
}

function survivors({ workload, killed, alive }: Measured): Goal {
  return {
    text: 'no peer ends but those that are killed',
    measured: `${alive} of ${workload.peers} alive, ${killed} killed`,
    isMet: alive + killed === workload.peers
  }
}
