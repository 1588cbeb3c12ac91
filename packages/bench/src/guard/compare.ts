import { median } from '../workload/statistics.ts'
import type { Turn } from './turn.ts'

/** One figure of both sides over all turns. */
export interface Comparison {
  readonly figure: string
  readonly before: number
  readonly now: number

  /** Median of the ratios of all pairs of turns: above 1, this checkout is slower. */
  readonly ratio: number

  /** Relative change that can be due to chance. */
  readonly noise: number
  readonly verdict: 'slower' | 'faster' | 'same'
}

/** Standard errors that a change has to exceed, with many pairs. */
const ERRORS = 3

/** Relative change that is never reported. */
const MIN_CHANGE = 0.02

/** Standard deviation of a normal distribution in median absolute deviations. */
const DEVIATION_PER_MAD = 1.4826

/** Standard error of a median, in that of a mean. */
const MEDIAN_PER_MEAN = Math.sqrt(Math.PI / 2)

/**
 * Compares the turns of two sides, of which the nth ones ran one after the other.
 *
 * The noise comes from turns of the same commit: the median absolute deviation of the logarithms of a side's
 * figures from their median, over both sides, gives the standard deviation of a ratio. If the ratios of the pairs
 * spread more, their own deviation counts. It yields the standard error of the median of n ratios. A change is
 * beyond noise if it exceeds 3 n / (n - 2) standard errors (a few turns estimate the spread poorly) and 2 %, and
 * all pairs but one agree on its direction.
 */
export function compare(before: readonly Turn[], now: readonly Turn[]): Comparison[] {
  const pairs = now.length
  const errors = ERRORS * (pairs / Math.max(1, pairs - 2))

  return Object.keys(before[0] ?? {}).map((figure) => {
    const [old, own] = [before, now].map((turns) => turns.map((turn) => turn[figure] ?? 0))
    const ratios = (old ?? []).map((value, i) => Math.log((own?.[i] ?? 0) / value))
    const change = median(ratios)
    const sides = [old, own].flatMap((values = []) => deviations(values.map(Math.log)))
    const deviation = Math.max(Math.SQRT2 * median(sides), median(deviations(ratios)))
    const standardError = (MEDIAN_PER_MEAN * DEVIATION_PER_MAD * deviation) / Math.sqrt(pairs)
    const noise = Math.max(errors * standardError, Math.log1p(MIN_CHANGE))
    const agreeing = ratios.filter((ratio) => Math.sign(ratio) === Math.sign(change)).length
    const isBeyond = Math.abs(change) > noise && agreeing >= pairs - 1

    return {
      ...{ figure, before: median(old ?? []), now: median(own ?? []) },
      ratio: Math.exp(change),
      noise: Math.expm1(noise),
      verdict: isBeyond ? (change > 0 ? 'slower' : 'faster') : 'same'
    }
  })
}

/** Returns the absolute deviations of values from their median. */
function deviations(values: readonly number[]): number[] {
  const middle = median(values)
  return values.map((value) => Math.abs(value - middle))
}
