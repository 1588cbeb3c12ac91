import { atMost, goal, same, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { summaryOf, total, totalOf } from '../../workload/statistics.ts'
import { contestants, HIVEMIND, PYTHON, WAGGLE } from './contestants.ts'
import { latencyGoals, latencyTables, measureLatency } from './latency.ts'
import { type Measured, measure } from './measure.ts'
import { type Round, WORKLOADS, type Workload } from './workload.ts'

export const hivemind: Scenario = {
  name: 'hivemind',
  title: "Hivemind's own benchmark: many peers write and read dictionaries, and some are killed.",
  run
}

/** Minimum speedup over Python of each system. */
const SPEEDUPS: Readonly<Record<string, number>> = { [WAGGLE]: 10, [HIVEMIND]: 2 }

/** Seconds of Waggle's whole run. */
const MAX_SECONDS = 3

/** Reports the figures that benchmark_dht.py prints, for each system that can run here. */
async function run(options: RunOptions): Promise<ScenarioResult> {
  const workload = WORKLOADS[options.effort]
  const systems = contestants()
  const all: Measured[] = []

  for (const system of systems) {
    all.push(await measure(system, workload, options))
  }

  const latency = await measureLatency(systems, options)

  return {
    notes: notes(workload, all),
    tables: [...tables(all, workload), ...latencyTables(latency)],
    goals: [...goals(all, workload), ...latencyGoals(latency)]
  }
}

function rowOf(
  system: string,
  operation: 'store' | 'get',
  { rounds, threads }: { rounds: readonly Round[]; threads: number }
) {
  const halves = rounds.map((round) => round[operation])
  const timesMs = halves.map(({ tookMs }) => tookMs)
  const tried = totalOf(halves, (half) => half.tried)
  const right = tried - totalOf(halves, ({ faults }) => faults.length)

  return {
    system,
    operation: operation === 'get' ? 'get latest' : operation,
    ...summaryOf(timesMs),
    ...{ perWorker: total(timesMs) / threads, total: total(timesMs) },
    ...{ tried, right, success: (100 * right) / tried }
  }
}

function rowsOf({ system, rounds }: Measured, { threads }: Workload) {
  return (['store', 'get'] as const).map((half) => rowOf(system, half, { rounds, threads }))
}

function tables(all: readonly Measured[], workload: Workload): Table[] {
  const rows = all.flatMap((measured) => rowsOf(measured, workload))
  const runs = all.map((measured) => ({
    ...workload,
    ...measured,
    roundsEach: workload.rounds
  }))

  return [
    tableOf('Wall time of a round, and right answers', rows, {
      ...same('system', 'operation'),
      'mean (ms)': 'mean',
      'std (ms)': 'deviation',
      'p50 (ms)': 'p50',
      'max (ms)': 'max',
      'per worker (ms)': 'perWorker',
      'total (ms)': 'total',
      ...same('tried', 'right'),
      'success (%)': 'success'
    }),
    tableOf('The runs', runs, {
      ...same('system', 'peers', 'threads'),
      'rounds each': 'roundsEach',
      'total time (s)': 'seconds',
      killed: 'killed',
      'alive in the end': 'alive',
      'survival (%)': ({ alive, peers }) => (100 * alive) / peers
    })
  ]
}

function goals(all: readonly Measured[], workload: Workload): Goal[] {
  const ours = all.filter(({ system }) => system !== PYTHON)
  return [
    ...ours.flatMap((measured) => goalsOf(measured, workload)),
    ...ours.filter(({ system }) => system === WAGGLE).map(inTime),
    ...ours.map((measured) => speedup(measured, all))
  ]
}

function goalsOf(measured: Measured, workload: Workload): Goal[] {
  const { system, killed, alive } = measured
  const { peers, failureRate } = workload
  return [
    ...rowsOf(measured, workload).map(({ operation, tried, right }) => ({
      text: `${system}: 100 % of ${operation === 'store' ? 'stores' : 'gets'} right while ${100 * failureRate} % of the peers are killed`,
      measured: `${right} of ${tried} with ${killed} of ${peers} killed`,
      isMet: right === tried && killed >= failureRate * peers
    })),
    {
      text: `${system}: no peer ends unless it is killed`,
      measured: `${alive} of ${peers} alive, ${killed} killed`,
      isMet: alive + killed === peers
    }
  ]
}

function inTime({ system, seconds }: Measured): Goal {
  return goal(
    `${system}: the whole run in at most ${MAX_SECONDS} s`,
    seconds,
    atMost(MAX_SECONDS),
    (value) => `${figure(value)} s`
  )
}

function speedup({ system, seconds }: Measured, all: readonly Measured[]): Goal {
  const least = SPEEDUPS[system] ?? 1
  const python = all.find((each) => each.system === PYTHON)
  return goal(
    `${system} is at least ${least} times as fast as Python`,
    python === undefined
      ? 'not measured: WAGGLE_HIVEMIND_PYTHON names no Python with hivemind'
      : python.seconds / seconds,
    (factor) => factor >= least
  )
}

function notes(workload: Workload, all: readonly Measured[]): string[] {
  const { peers, threads, rounds, storePeers, getPeers, initialPeers } = workload
  const faults = Map.groupBy(
    all.flatMap(({ system, rounds: each }) =>
      each.flatMap(({ store, get }) =>
        [...store.faults, ...get.faults].map((fault) => `${system}: ${fault}`)
      )
    ),
    (fault) => fault
  )
  const counts = Array.from(faults, ([fault, { length }]) => `${fault} (${length} times)`)

  return [
    `The workload of Hivemind's benchmarks/benchmark_dht.py: ${peers} peers, a process each, on one machine; ${threads} threads of ${rounds} rounds. In each round ${storePeers} random peers store a subkey of their own under one new key; then ${getPeers} random peers get it with latest. The wall time of a round runs until the slowest peer is done and includes the way between the driving process and the peers.`,
    `Each system runs it alone, one after the other: Waggle in its own network, @waggle/hivemind and Python Hivemind over Hivemind's wire.`,
    `Each peer joined through ${initialPeers} running ones. Peers are killed by SIGKILL at random rounds, between storing and getting. As in Hivemind's benchmark, the peers to be killed store and get nothing, but hold records. Hivemind's survival rate counts dead peers, too; ours does not.`,
    'A get is right if it shows exactly the stored subkeys, each with its value.',
    'One key at a Python peer: a client of each system in a process of its own stores and gets keys one after the other at one Python peer; a third of the calls warm it up.',
    ...(counts.length > 0 ? [`Faults: ${counts.join('; ')}.`] : [])
  ]
}
