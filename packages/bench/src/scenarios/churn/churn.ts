import type { DHTOptions } from '@waggle/dht'
import { FEW_CONNECTIONS } from '../../nodes/memory-node.ts'
import { all, atMost, goal, ms, none, same, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { seededRandom } from '../../workload/random.ts'
import { summaryOf, totalOf } from '../../workload/statistics.ts'
import { Ledger, type Verdict } from './ledger.ts'
import { Population } from './population.ts'
import { Traffic } from './traffic.ts'
import { Watchers } from './watchers.ts'

/** Takes more than five minutes. */
export const churn: Scenario = {
  name: 'churn',
  title: 'Reads, writes and watchers while peers are killed and replaced again and again.',
  isLong: true,
  run
}

/**
 * Peers, and how many of them are killed and replaced at a time; records, further ones that live only for some
 * seconds, and how many of both a client that stays and each peer watch; reads and writes per second.
 */
const SIZES = {
  full: {
    ...{ peers: 32, kills: 3, everyMs: 10_000, forMs: 300_000 },
    ...{ records: 500, brief: 25, briefTtl: 10, rate: 40 },
    watchedByClient: { lasting: 100, brief: 25 },
    watchedByPeer: { lasting: 4, brief: 1 }
  },
  quick: {
    ...{ peers: 7, kills: 1, everyMs: 1500, forMs: 4000 },
    ...{ records: 20, brief: 4, briefTtl: 2, rate: 20 },
    watchedByClient: { lasting: 10, brief: 4 },
    watchedByPeer: { lasting: 2, brief: 1 }
  }
}

export type ChurnSizes = typeof SIZES.full
export type ChurnOutcome = Awaited<ReturnType<typeof measureChurn>>

interface ChurnOptions extends Omit<RunOptions, 'effort'> {
  /** Connections that each peer keeps. */
  readonly connections: DHTOptions['connections']
}

const SEED = 30
const MAX_P99_MS = 1000
const MAX_MISSED = 20

async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const outcome = await measureChurn(sizes, { ...options, connections: FEW_CONNECTIONS })
  const { traffic, delivered, missed } = outcome

  return {
    notes: [...notes(sizes, outcome), ...[...missed, ...traffic.failures].slice(0, MAX_MISSED)],
    tables: [operations(traffic), delivered],
    goals: goals(outcome)
  }
}

/** Kills and replaces peers during reads, writes and watches. */
export async function measureChurn(sizes: ChurnSizes, { connections, signal, log }: ChurnOptions) {
  const random = seededRandom(SEED)
  const ledger = new Ledger(sizes)
  const watchers = new Watchers(ledger, random)
  await using population = new Population({
    ...{ connections, random, signal },
    onJoin: (peer) => watchers.add('peers that come and go', peer, sizes.watchedByPeer)
  })
  await population.grow(sizes.peers)
  await watchers.add('a client that stays', await population.client(), sizes.watchedByClient)
  log(`${sizes.peers} peers`)

  const traffic = new Traffic({ population, ledger, random, signal })
  await traffic.writeAll()
  log(`${ledger.keys.length} records`)

  const churning = new AbortController()
  const busy = traffic.run(sizes.rate, AbortSignal.any([churning.signal, signal]))

  try {
    await population.churn(sizes, (killed) => log(`killed ${killed} peers`))
  } finally {
    churning.abort()
    await busy
  }

  const settledMs = await watchers.settle({ signal })
  const missed = watchers.late.map(({ by, key }) => `${by} missed the final state of ${key}.`)
  log(`${missed.length} final states are missed after ${Math.round(settledMs)} ms`)
  await traffic.readAll()
  // Read now, because the watchers' processes end with this function.
  const delivered = deliveries(watchers, ledger)
  return { traffic, killed: population.killed, settledMs, missed, delivered }
}

function operations({ tallies }: Traffic): Table {
  const rows = Object.entries(tallies)
    .filter(([, { tookMs }]) => tookMs.length > 0)
    .map(([kind, tally]) => ({ kind, ...tally, ...summaryOf(tally.tookMs) }))
  const verdict = (which: Verdict) => (row: (typeof rows)[number]) =>
    row.kind === 'store' || row.kind === 'delete' ? null : row.verdicts[which]

  return tableOf('Reads and writes', rows, {
    operation: 'kind',
    answered: ({ tookMs }) => tookMs.length,
    right: verdict('right'),
    older: verdict('stale'),
    missing: verdict('missing'),
    false: verdict('false'),
    failed: 'failed',
    'peer killed': 'lost',
    ...{ 'p50 (ms)': 'p50', 'p99 (ms)': 'p99', 'slowest (ms)': 'max' }
  })
}

function deliveries(watchers: Watchers, ledger: Ledger): Table {
  const groups = Map.groupBy(watchers.watches, ({ by, key }) => {
    return `${by}: ${ledger.isBrief(key) ? 'records that expire or are deleted' : 'lasting records'}`
  })
  const rows = [...groups].sort().map(([watcher, watches]) => {
    const times = watches.flatMap((watch) => watchers.deliveryTimes(watch))
    const tookMs = times.filter((time) => time !== undefined)
    const { p50, p99, max } = tookMs.length > 0 ? summaryOf(tookMs) : {}
    const found = watches.flatMap((watch) => watch.deliveries.map((each) => each.found))

    return {
      watcher,
      keys: watches.length,
      missed: watches.filter((watch) => watchers.verdict(watch) !== 'right').length,
      deliveries: found.length,
      nothing: found.filter((value) => value === undefined).length,
      ...{ stores: times.length, delivered: tookMs.length, p50, p99, max }
    }
  })

  return tableOf('Deliveries to watchers', rows, {
    ...same('watcher', 'keys'),
    'final states missed': 'missed',
    ...{ deliveries: 'deliveries', 'of these of nothing': 'nothing' },
    ...{ stores: 'stores', 'stores delivered': 'delivered' },
    ...{ 'p50 (ms)': 'p50', 'p99 (ms)': 'p99', 'slowest (ms)': 'max' }
  })
}

/** Counts what went right and wrong. */
export function churnCounts({ traffic: { tallies }, delivered, missed }: ChurnOutcome) {
  const latest = [tallies['latest get'], tallies['latest get in the end']]
  const reads = [tallies.get, ...latest]
  const writes = [tallies.store, tallies.delete]
  const missing = totalOf(reads, ({ verdicts }) => verdicts.missing)
  const asked = totalOf(reads, ({ tookMs, failed }) => tookMs.length + failed)
  const right =
    asked -
    totalOf(reads, ({ verdicts, failed }) => verdicts.missing + verdicts.false + failed) -
    totalOf(latest, ({ verdicts }) => verdicts.stale)

  return {
    ...{ asked, right, missing, missed: missed.length },
    writes: totalOf(writes, ({ tookMs, failed }) => tookMs.length + failed),
    failedWrites: totalOf(writes, ({ failed }) => failed),
    watched: totalOf(delivered.rows, ([, keys]) => Number(keys))
  }
}

function goals(outcome: ChurnOutcome): Goal[] {
  const { tallies } = outcome.traffic
  const { asked, missed, missing, right, watched } = churnCounts(outcome)
  // Final reads happen after the last kill and would improve the figures of the others.
  const during = [tallies.get, tallies['latest get']]
  const [get = 0, latestGet = 0] = during.map(({ tookMs }) => summaryOf(tookMs).p99)

  return [
    none('no acknowledged record is lost: reads that find nothing', missing, asked),
    all('every read is right', right, asked),
    goal(
      `reads while peers are killed, of each kind: p99 at most ${MAX_P99_MS / 1000} s`,
      Math.max(get, latestGet),
      atMost(MAX_P99_MS),
      () => `get ${ms(get)}, latest get ${ms(latestGet)}`
    ),
    none('watchers miss no final state', missed, watched)
  ]
}

function notes(sizes: ChurnSizes, { killed, settledMs }: ChurnOutcome): string[] {
  const { peers, everyMs, forMs, records, brief, briefTtl, watchedByClient, watchedByPeer } = sizes

  return [
    `${peers} peers run on one machine, each in a process of its own, from the libraries as they are published. Each keeps connections to 16 servers at most. Every ${everyMs / 1000} s, ${sizes.kills} random ones are killed (SIGKILL) and as many others started, for ${forMs / 1000} s: ${killed} in all. Meanwhile random peers read and write ${records} records; each record has one writer at a time.`,
    'A get with `latest` is right if it finds the last value that was acknowledged before it began, or a newer one; any other get is right if it finds a value that was written and has not expired. Operations of a peer that was killed before it answered do not count. Times include the way to the process and back.',
    [
      `A client that is never killed watches ${watchedByClient.lasting} of the records, and each peer watches ${watchedByPeer.lasting} random ones from its start.`,
      `${brief} further records live for ${briefTtl} s only; they are stored and deleted, but not read. The client watches ${watchedByClient.brief} of them, each peer ${watchedByPeer.brief}.`,
      'A final state is missed if the last delivery is neither the last acknowledged write nor a later one that may have been stored, or is not nothing although the record has expired or been deleted. This is checked before the records are read once more, which would repair replicas.',
      `${figure(settledMs / 1000)} s after the last write no final state was missing or waited for any more; brief records have to expire first.`,
      'Watchers that were killed are left out. Times run from the call of an acknowledged store, including the way to its process, to the delivery in the watching process, on the clock of the machine; a store that was not delivered had been replaced before.'
    ].join(' ')
  ]
}
