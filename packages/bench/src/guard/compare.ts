import { median } from '../workload/statistics.ts'
import type { Turn } from './turn.ts'

/** One figure of both sides over all turns. */
export interface Comparison {
  readonly figure: string
  readonly before: number
  readonly now: number

  /** Median of the ratios of all pairs of turns: above 1, this checkout is slower. */
  readonly ratio: number

  /** Relative change that can be chance. */
  readonly noise: number
  readonly verdict: 'slower' | 'faster' | 'same'
}

/** Standard errors that a change has to exceed. */
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
 * figures from their median, over both sides, gives the standard deviation of a turn, and from that follows the
 * standard error of the median of n ratios. A change is beyond noise if it exceeds three standard errors and 2 %,
 * and all pairs but one agree on its direction.
 */
export function compare(before: readonly Turn[], now: readonly Turn[]): Comparison[] {
  return Object.keys(before[0] ?? {}).map((figure) => {
    const sides = [before, now].map((turns) => turns.map((turn) => turn[figure] ?? Number.NaN))
    const [old = [], own = []] = sides
    const ratios = old.map((value, i) => Math.log((own[i] ?? Number.NaN) / value))
    const change = median(ratios)
    const noise = Math.max(ERRORS * standardError(sides), Math.log1p(MIN_CHANGE))
    const agreeing = ratios.filter((ratio) => Math.sign(ratio) === Math.sign(change)).length
    const isBeyond = Math.abs(change) > noise && agreeing >= ratios.length - 1

    return {
      figure,
      before: median(old),
      now: median(own),
      ratio: Math.exp(change),
      noise: Math.expm1(noise),
      verdict: isBeyond ? (change > 0 ? 'slower' : 'faster') : 'same'
    }
  })
}

/** Estimates the standard error of the median ratio from the spread of each side. */
function standardError(sides: readonly (readonly number[])[]): number {
  const deviations = sides.flatMap((values) => {
    const middle = Math.log(median(values))
    return values.map((value) => Math.abs(Math.log(value) - middle))
  })
  const turns = sides[0]?.length ?? 1
  // Deviations from a side's own median are too small by this factor.
  const correction = Math.sqrt(turns / Math.max(1, turns - 1))
  const deviation = DEVIATION_PER_MAD * median(deviations) * correction
  return (MEDIAN_PER_MEAN * Math.SQRT2 * deviation) / Math.sqrt(turns)
}
