// All statistics of an empty list are NaN.

/** Returns the value below which the given share of the values lies: `percentile(values, 0.95)`. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Returns the middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const above = values.map((value) => -value)
  return (percentile(values, 0.5) - percentile(above, 0.5)) / 2
}

export function medianOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return median(items.map(figure))
}

export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

export function totalOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return total(items.map(figure))
}

/** Returns the mean; NaN if there are no values. */
export function meanOf(values: readonly number[]): number {
  return total(values) / values.length
}

/** Summary of repeated measurements. */
export interface Summary {
  readonly mean: number

  /** Standard deviation of the values themselves, not a sample's estimate. */
  readonly deviation: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

export function summaryOf(values: readonly number[]): Summary {
  const mean = meanOf(values)
  const at = (share: number): number => percentile(values, share)

  return {
    mean,
    deviation: Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2))),
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1)
  }
}
