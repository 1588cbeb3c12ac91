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
