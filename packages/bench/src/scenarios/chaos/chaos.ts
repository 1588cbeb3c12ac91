import { setTimeout as passed } from 'node:timers/promises'
import { atMost, goal, none, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { seededRandom } from '../../workload/random.ts'
import { summaryOf, totalOf } from '../../workload/statistics.ts'
import { Ledger } from '../churn/ledger.ts'
import { Faults } from './faults.ts'
import { ChaosNetwork } from './network.ts'
import { type Tally, Traffic } from './traffic.ts'

/** Takes some minutes. */
export const chaos: Scenario = {
  name: 'chaos',
  title: 'A history of calls while nodes are killed, stopped, cut off, misdated and slowed down.',
  isLong: true,
  run
}

/** Seconds of a full run, and the seed of its faults; `WAGGLE_CHAOS_SECONDS` and `WAGGLE_CHAOS_SEED` change them. */
const { WAGGLE_CHAOS_SECONDS: SECONDS = '180', WAGGLE_CHAOS_SEED: SEED = '7' } = process.env

/** Processes, places that are written to, and calls per second. */
const SIZES = {
  full: { nodes: 10, places: 42, rate: 25, forMs: Number(SECONDS) * 1000 },
  quick: { nodes: 5, places: 12, rate: 20, forMs: 15_000 }
}

type Sizes = typeof SIZES.full

const MAX_FAILED = 0.002

/** Time limit for agreeing once all is well, and the pause between reads. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 500
const MAX_SHOWN = 20

type Outcome = Awaited<ReturnType<typeof measure>>

async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const outcome = await measure(sizes, options)
  const { traffic, faults, wrong } = outcome
  const rows = Object.entries(traffic.tallies).map(([kind, tally]) => rowOf(kind, tally))

  return {
    notes: [
      ...notes(sizes, outcome),
      ...[...wrong, ...traffic.setbacks, ...traffic.stale, ...traffic.failures].slice(0, MAX_SHOWN)
    ],
    tables: [
      tableOf('Calls', rows, {
        ...{ call: 'kind', answered: 'answered', failed: 'failed' },
        ...{ 'killed or stopped': 'disturbed', 'unreachable while cut off': 'unreachable' },
        ...{ 'older than acknowledged': 'older', 'p50 (ms)': 'p50', 'p99 (ms)': 'p99' },
        'slowest (ms)': 'max'
      }),
      tableOf('Faults', [faults.counts], {
        ...{ kills: 'kill', stops: 'stop', cuts: 'cut' },
        ...{ 'steps of clocks': 'clock', 'slow disks': 'disk' }
      })
    ],
    goals: goals(outcome)
  }
}

async function measure(sizes: Sizes, { signal, log }: Omit<RunOptions, 'effort'>) {
  const random = seededRandom(Number(SEED))
  const ledger = new Ledger({ records: sizes.places, brief: 0, briefTtl: 0 })
  await using network = new ChaosNetwork(ledger, signal)
  await network.grow(sizes.nodes)
  log(`${sizes.nodes} nodes`)

  const started = performance.now()
  const timed = (line: string) =>
    log(`${Math.round((performance.now() - started) / 1000)} s ${line}`)
  const traffic = new Traffic({ network, ledger, random, log: timed })
  const faults = new Faults({ network, random: seededRandom(Number(SEED) + 1), signal, log: timed })
  const ended = new AbortController()
  const calls = traffic.run(sizes.rate, AbortSignal.any([ended.signal, signal]))

  try {
    await faults.run(sizes.forMs)
  } finally {
    ended.abort()
    await calls
  }

  const healedMs = performance.now()
  const agreedMs = () => performance.now() - healedMs
  let wrong = await traffic.wrong()

  while (wrong.length > 0 && agreedMs() < PATIENCE_MS) {
    timed(`${wrong.length} reads are wrong: ${wrong[0]}`)
    await passed(PAUSE_MS, undefined, { signal })
    wrong = await traffic.wrong()
  }

  return { traffic, faults, wrong, agreedMs: agreedMs(), unhandled: await network.countUnhandled() }
}

function rowOf(kind: string, { tookMs, failed, disturbed, unreachable, verdicts }: Tally) {
  const { p50, p99, max } = tookMs.length > 0 ? summaryOf(tookMs) : {}
  const older = verdicts.stale + verdicts.missing
  return { kind, answered: tookMs.length, failed, disturbed, unreachable, older, p50, p99, max }
}

function goals({ traffic, wrong, agreedMs, unhandled }: Outcome): Goal[] {
  const tallies = Object.values(traffic.tallies)
  const failed = totalOf(tallies, (tally) => tally.failed)
  const calls = failed + totalOf(tallies, ({ tookMs }) => tookMs.length)

  return [
    goal(
      'nothing acknowledged is lost and nothing deleted returns: wrong reads in the end',
      wrong.length,
      atMost(0),
      (count) => `${figure(count)}, after ${figure(agreedMs / 1000)} s`
    ),
    none(
      'nobody reads what nobody wrote',
      totalOf(tallies, ({ verdicts }) => verdicts.false)
    ),
    none('latest reads of one reader never go back', traffic.setbacks.length),
    none(
      'latest reads show what is acknowledged, unless nodes were cut off a moment ago',
      traffic.stale.length
    ),
    goal(
      `calls of nodes that are neither killed nor stopped fail at most ${MAX_FAILED * 100} % of the time`,
      failed / calls,
      atMost(MAX_FAILED),
      () => `${figure(failed)} of ${figure(calls)}`
    ),
    none('no rejection is unhandled', unhandled)
  ]
}

function notes({ nodes, places, forMs }: Sizes, { agreedMs }: Outcome): string[] {
  return [
    `${nodes} nodes with a disk and a process each reach each other through gates. For ${figure(forMs / 1000)} s, some are killed (SIGKILL) and started again, stopped (SIGSTOP) for 1 to 20 s, or cut off from the others for up to a minute, with connections that stay open and carry nothing; clocks are stepped by up to 4 minutes, and disks take up to 3 s for a write. Meanwhile random nodes read, store and delete ${places} values, a third of them under subkeys of two dictionaries. One call at a time writes to each of them.`,
    'A call of a node that is killed or stopped meanwhile does not count when it fails, and a call that finds that nobody can be reached does not, while nodes are cut off: the rules want it to reject then.',
    `In the end, when all nodes are back, every node reads everything with latest, again and again, until all reads show the last acknowledged write or a later one: ${figure(agreedMs / 1000)} s.`
  ]
}
