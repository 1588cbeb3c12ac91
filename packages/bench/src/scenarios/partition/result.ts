import { goal } from '../../goal.ts'
import type { Goal, ScenarioResult } from '../../interface.ts'
import { significant } from '../../statistics.ts'
import type { PartitionSizes } from './partition.ts'

export interface PartitionFigures {
  /** Everything that was written, before and while they were apart. */
  readonly entries: number
  readonly writtenApart: number

  /** Of what was written apart. */
  readonly acknowledged: number

  /** Pairs of a node and something that its own half wrote and it did not find, before they were joined. */
  readonly missingApart: number

  /** Pairs of a node and an entry that it did not find when watching ended. */
  readonly missingAtEnd: number

  /** Until everybody found everything. */
  readonly joinedMs: number
}

const MOST_JOINED_MS = 30_000

export function resultOf(sizes: PartitionSizes, figures: PartitionFigures): ScenarioResult {
  const { entries, writtenApart, acknowledged, missingApart, missingAtEnd, joinedMs } = figures
  const seconds = significant(joinedMs / 1000)

  return {
    notes: notes(sizes),
    tables: [
      {
        title: 'Two halves',
        columns: [
          { title: 'written apart' },
          { title: 'acknowledged' },
          { title: 'not found in its own half' },
          { title: 'written in all' },
          { title: 'not found at the end' },
          { title: 'everything found everywhere after', unit: 's' }
        ],
        rows: [
          [
            ...[writtenApart, acknowledged, missingApart, entries, missingAtEnd],
            missingAtEnd === 0 ? seconds : null
          ]
        ]
      }
    ],
    charts: [],
    goals: goals({
      lost: writtenApart - acknowledged + missingApart,
      joinedMs: missingAtEnd === 0 ? joinedMs : Number.POSITIVE_INFINITY
    })
  }
}

/** Where network namespaces can not be made. */
export function notMeasured(sizes: PartitionSizes): ScenarioResult {
  return {
    notes: [...notes(sizes), 'Not measured: it takes Linux and root.'],
    tables: [],
    charts: [],
    goals: goals({ lost: undefined, joinedMs: undefined })
  }
}

function notes({ nodesOfHalf, cutMs, records }: PartitionSizes): string[] {
  return [
    `Two halves of ${nodesOfHalf} nodes, in two processes each, the second half in a network namespace of its own. The cable between them is pulled for ${cutMs / 1000} s, and put back in. Before, ${records} values and one place in each of ${records} dictionaries are written; meanwhile each half writes as many values of its own, and another place in each of these dictionaries.`,
    'Then every node reads everything, again and again, until all is right everywhere. The time includes these readings.'
  ]
}

function goals({
  lost,
  joinedMs
}: {
  lost: number | undefined
  joinedMs: number | undefined
}): Goal[] {
  return [
    goal('each half goes on by itself: every write acknowledged and found in it', {
      value: lost,
      isGood: (count) => count === 0,
      show: (count) => `${count} refused or not found`
    }),
    goal(`joined again, every node finds everything within ${MOST_JOINED_MS / 1000} s`, {
      value: joinedMs,
      isGood: (ms) => ms <= MOST_JOINED_MS,
      show: (ms) => (Number.isFinite(ms) ? `${significant(ms / 1000)} s` : 'not at all')
    })
  ]
}
