/** What many measurements of one thing come to. All NaN where there are none. */
export interface Summary {
  readonly count: number
  readonly mean: number

  /** The standard deviation of all of them, not an estimate from a sample. */
  readonly deviation: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

export function summaryOf(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  const mean = meanOf(sorted)

  return {
    count: sorted.length,
    mean,
    deviation: Math.sqrt(meanOf(sorted.map((value) => (value - mean) ** 2))),
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN
  }
}

/** The least of the sorted values that at least this fraction of them does not exceed. */
export function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? Number.NaN
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Rounded to so many significant digits, for tables: what follows is noise. */
export function significant(value: number, digits = 3): number {
  return Number(value.toPrecision(digits))
}
