import { goal } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal } from '../../result/result.ts'
import { totalOf } from '../../workload/statistics.ts'
import { WATERMARKS, type Watermark } from './watermarks.ts'

/** Sentence on the two kinds of networks of a comparison. */
export const COMPARED: string = comparisonOf(WATERMARKS)

/** Builds a goal that a count is no greater with few connections than with the default. */
export function noWorse<R extends Pick<Watermark, 'servers'>>(
  text: string,
  rows: readonly R[],
  count: (row: R) => number
): Goal {
  const [few = Number.NaN, many = Number.NaN] = WATERMARKS.map(({ servers }) =>
    totalOf(
      rows.filter((row) => row.servers === servers),
      count
    )
  )
  return goal(
    `${text}: no more than with the default`,
    few,
    (value) => value <= many,
    (value) => `${figure(value)}, and ${figure(many)} with the default`
  )
}

function comparisonOf([few, many]: readonly Watermark[]): string {
  return `Each node of one network keeps connections to ${few?.servers} servers at most, each node of the other one to ${many?.servers} (the default), which is all of them. One runs after the other.`
}
