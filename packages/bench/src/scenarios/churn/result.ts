import { goal } from '../../goal.ts'
import type { Goal, ScenarioResult, Table } from '../../interface.ts'
import { significant, summaryOf, totalOf } from '../../statistics.ts'
import type { ChurnSizes } from './churn.ts'
import type { Kind, Tally, Traffic } from './traffic.ts'
import { deliveries, missedInWords, type WatchedOutcome, watchedGoal } from './watched.ts'

export interface ChurnOutcome {
  readonly traffic: Traffic

  /** How many peers were killed. */
  readonly dead: number
  readonly watched: WatchedOutcome
}

const READS = ['get', 'latest get', 'latest get at the end'] as const
const SLOWEST_P99_MS = 2000

export function resultOf(
  sizes: ChurnSizes,
  { traffic, dead, watched }: ChurnOutcome
): ScenarioResult {
  const { peers, killed, everyMs, forMs, records } = sizes
  return {
    notes: [
      `${peers} peers on one machine, a process each. Every ${everyMs / 1000} s ${killed} of them, chosen at random, are killed (SIGKILL) and as many others started, for ${forMs / 1000} s: ${dead} in all. Meanwhile ${records} records are read and written by peers chosen at random, each record by one at a time.`,
      'A get with `latest` is right if it finds the last value that was acknowledged before it began, or one written since; any other get, if it finds a value that was written and has not expired. What was asked of a peer that was killed before it answered does not count. Times include the way to the process and back.',
      watching(sizes, watched),
      ...[...missedInWords(watched), ...traffic.complaints].slice(0, 20)
    ],
    tables: [operations(traffic), deliveries(watched)],
    charts: [],
    goals: [...goals(traffic), watchedGoal(watched)]
  }
}

function watching(
  { brief, briefTtl, watchedByClient, watchedByPeer }: ChurnSizes,
  { settledMs }: WatchedOutcome
): string {
  return [
    `A client that is never killed watches ${watchedByClient.lasting} of the records, each peer ${watchedByPeer.lasting}, chosen at random, from its start on.`,
    `${brief} records more live for ${briefTtl} s only, and are not read, but stored and deleted; the client watches ${watchedByClient.brief} of them, each peer ${watchedByPeer.brief}.`,
    'A final state is missed if what was delivered last is not what was acknowledged last, or something later that may have been stored, or not nothing though that has expired or been deleted. This is looked at before anything is read once more, which would repair replicas.',
    `${significant(settledMs / 1000)} s after the last write nothing was missing, or no longer waited for; what is brief has to expire first.`,
    'Of watchers that were killed nothing is told. Times run from the call of an acknowledged store, with the way to the process that stores, to the delivery in the process that watches, on the clock of the machine; a store that was not delivered was replaced before.'
  ].join(' ')
}

function operations({ tallies }: Traffic): Table {
  return {
    title: 'Reads and writes meanwhile',
    columns: [
      { title: 'operation' },
      { title: 'answered' },
      { title: 'right' },
      { title: 'older' },
      { title: 'missing' },
      { title: 'false' },
      { title: 'failed' },
      { title: 'peer killed' },
      { title: 'p50', unit: 'ms' },
      { title: 'p99', unit: 'ms' },
      { title: 'slowest', unit: 'ms' }
    ],
    rows: (Object.entries(tallies) as [Kind, Tally][])
      .filter(([, { tookMs }]) => tookMs.length > 0)
      .map(([kind, { tookMs, verdicts, failed, lost }]) => {
        const { p50, p99, max } = summaryOf(tookMs)
        const judged =
          kind === 'store' || kind === 'delete'
            ? [null, null, null, null]
            : [verdicts.right, verdicts.stale, verdicts.missing, verdicts.false]
        return [
          kind,
          tookMs.length,
          ...judged,
          failed,
          lost,
          ...[p50, p99, max].map((ms) => significant(ms))
        ]
      })
  }
}

function goals({ tallies }: Traffic): Goal[] {
  const of = (read: (tally: Tally) => number, ...kinds: readonly Kind[]): number =>
    totalOf(kinds, (kind) => read(tallies[kind]))
  const missing = of(({ verdicts }) => verdicts.missing, ...READS)
  const wrong =
    of(({ verdicts, failed }) => verdicts.missing + verdicts.false + failed, ...READS) +
    of(({ verdicts }) => verdicts.stale, 'latest get', 'latest get at the end')
  const asked = of(({ tookMs, failed }) => tookMs.length + failed, ...READS)
  // What is read at the end, when nobody is killed any more, would make the others look better.
  const slowest = (['get', 'latest get'] as const).map((kind) => ({
    kind,
    p99: summaryOf(tallies[kind].tookMs).p99
  }))

  return [
    goal('no acknowledged record is lost', {
      value: missing,
      isGood: (count) => count === 0,
      show: (count) => `${count} of ${asked} reads found nothing`
    }),
    goal('every read is right', {
      value: wrong,
      isGood: (count) => count === 0,
      show: (count) => `${asked - count} of ${asked}`
    }),
    goal(`reads while peers are killed, of each kind: p99 under ${SLOWEST_P99_MS / 1000} s`, {
      value: Math.max(...slowest.map(({ p99 }) => p99)),
      isGood: (ms) => ms < SLOWEST_P99_MS,
      show: () => slowest.map(({ kind, p99 }) => `${kind} ${significant(p99)} ms`).join(', ')
    })
  ]
}
