import { describe, expect, it } from 'vitest'
import { median, percentile, summaryOf } from '../../src/workload/statistics.ts'

describe('percentile', () => {
  it('gives the value that the share of the values does not exceed', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i)

    expect(percentile(values, 0.5)).toBe(50)
    expect(percentile(values, 0.95)).toBe(95)
    expect(percentile(values, 0)).toBe(1)
    expect(percentile(values, 1)).toBe(100)
    expect(percentile([7], 0.95)).toBe(7)
  })

  it('is NaN when there are no values', () => {
    expect(percentile([], 0.5)).toBeNaN()
  })
})

describe('median', () => {
  it('gives the middle one, or what lies between the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([9, 1, 5, 6])).toBe(5.5)
  })

  it('is NaN when there are no values', () => {
    expect(median([])).toBeNaN()
  })
})

describe('summaryOf', () => {
  it('gives the figures of all values, in whatever order they are', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1)

    expect(summaryOf(hundred.toReversed())).toEqual({
      mean: 50.5,
      deviation: Math.sqrt((100 ** 2 - 1) / 12),
      p50: 50,
      p95: 95,
      p99: 99,
      max: 100
    })
  })

  it('has no figures of nothing', () => {
    expect(summaryOf([]).p50).toBeNaN()
  })
})
