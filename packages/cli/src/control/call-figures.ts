/** One bucket of a histogram, with the values up to its limit and all before. */
interface Bucket {
  readonly limit: number
  readonly upTo: number
}

/** Calls of one kind since the node started. */
export interface CallFigures {
  readonly call: string
  readonly count: number

  /** Milliseconds within which half of the calls ended, and 99 of 100. Undefined beyond the last bucket. */
  readonly p50Ms?: number | undefined
  readonly p99Ms?: number | undefined
}

/** A value of a Prometheus histogram or counter. */
export interface MetricValue {
  readonly metricName?: string
  readonly value: number
  readonly labels: Readonly<Record<string, string | number | undefined>>
}

/** Sums up a histogram by its label `call`. */
export function callFigures(values: readonly MetricValue[]): CallFigures[] {
  const buckets = Map.groupBy(
    values.filter(({ metricName = '' }) => metricName.endsWith('_bucket')),
    ({ labels: { call } }) => String(call)
  )
  return [...buckets].map(([call, ofCall]) => {
    const sorted = ofCall
      .map(({ value, labels: { le } }) => ({
        limit: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le),
        upTo: value
      }))
      .sort((a, b) => a.limit - b.limit)
    return {
      call,
      count: sorted.at(-1)?.upTo ?? 0,
      p50Ms: quantileMs(sorted, 0.5),
      p99Ms: quantileMs(sorted, 0.99)
    }
  })
}

/** Estimates a quantile as Prometheus does: values are spread evenly within a bucket. */
function quantileMs(buckets: readonly Bucket[], share: number): number | undefined {
  const rank = share * (buckets.at(-1)?.upTo ?? 0)
  const index = buckets.findIndex(({ upTo }) => upTo >= rank)
  const { limit, upTo } = buckets[index] ?? { limit: 0, upTo: 0 }
  const before = buckets[index - 1] ?? { limit: 0, upTo: 0 }

  if (upTo === before.upTo || !Number.isFinite(limit)) {
    return undefined
  }

  const part = (rank - before.upTo) / (upTo - before.upTo)
  return 1000 * (before.limit + part * (limit - before.limit))
}
