/** The value below which this share of the values lies: `percentile(values, 0.95)`. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = Math.max(0, Math.ceil(share * sorted.length) - 1)
  const value = sorted[rank]

  if (value === undefined) {
    throw new RangeError('nothing has no percentile')
  }

  return value
}

/** The middle one; of two in the middle, what lies between. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]

  if (upper === undefined || lower === undefined) {
    throw new RangeError('nothing has no median')
  }

  return (lower + upper) / 2
}

/** The median of what each of them says. */
export function medianOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return median(items.map(figure))
}

/** All of them together. */
export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** What each of them says, together. */
export function totalOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return total(items.map(figure))
}

/** NaN if there are none. */
export function meanOf(values: readonly number[]): number {
  return total(values) / values.length
}

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
  const mean = meanOf(values)
  const at = (share: number): number => (values.length > 0 ? percentile(values, share) : Number.NaN)

  return {
    count: values.length,
    mean,
    deviation: Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2))),
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1)
  }
}

/** Rounded to so many significant digits, for tables: what follows is noise. */
export function significant(value: number, digits = 3): number {
  return Number(value.toPrecision(digits))
}
