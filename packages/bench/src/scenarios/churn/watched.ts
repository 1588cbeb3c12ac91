import { goal } from '../../goal.ts'
import type { Goal, Table } from '../../interface.ts'
import { significant, summaryOf } from '../../statistics.ts'
import type { Missed } from './missed.ts'
import type { Watch, Watchers } from './watchers.ts'

export interface WatchedOutcome {
  readonly watchers: Watchers

  /** From the end of the last write until no final state was missing, or that was given up. */
  readonly settledMs: number
  readonly missed: readonly Missed[]
  readonly isBrief: (key: string) => boolean
}

/** What came to those who watch. */
export function deliveries({ watchers, isBrief }: WatchedOutcome): Table {
  const groups = Map.groupBy(
    watchers.watches,
    ({ by, key }) => `${by}, ${isBrief(key) ? 'records that expire or are deleted' : 'others'}`
  )
  return {
    title: 'What those who watch were told',
    columns: [
      { title: 'who watches' },
      { title: 'keys' },
      { title: 'final state missed' },
      { title: 'deliveries' },
      { title: 'of these: nothing left' },
      { title: 'stores meanwhile' },
      { title: 'of these delivered' },
      { title: 'p50', unit: 'ms' },
      { title: 'p99', unit: 'ms' },
      { title: 'slowest', unit: 'ms' }
    ],
    rows: [...groups].sort().map(([title, watches]) => [title, ...rowOf(watches, watchers)])
  }
}

function rowOf(watches: readonly Watch[], watchers: Watchers): (number | null)[] {
  const all = watches.flatMap((watch) => watch.deliveries)
  const told = watches.flatMap((watch) => watchers.told(watch))
  const tookMs = told.flatMap((each) => each.tookMs ?? [])
  const { p50, p99, max } = summaryOf(tookMs)
  return [
    watches.length,
    watches.filter((watch) => watchers.verdict(watch) !== 'right').length,
    all.length,
    all.filter(({ found }) => found === undefined).length,
    told.length,
    tookMs.length,
    ...[p50, p99, max].map((ms) => (tookMs.length === 0 ? null : significant(ms)))
  ]
}

export function watchedGoal({ watchers, missed }: WatchedOutcome): Goal {
  const lost = missed.filter(({ holders }) => holders === 0).length
  const reason = lost > 0 ? `, ${lost} of them as no peer held them any more` : ''
  return goal('no final state is missed by watchers', {
    value: missed.length,
    isGood: (count) => count === 0,
    show: (count) => `${count} of ${watchers.watches.length} were missed${reason}`
  })
}

/** What was missed, in words. */
export function missedInWords({ missed }: WatchedOutcome): string[] {
  return missed.map(({ by, key, verdict, holders }) => {
    const where = holders === undefined ? '' : `; ${holders} peers hold what was acknowledged last`
    return `${by}, watching ${key}: ${verdict}${where}`
  })
}
