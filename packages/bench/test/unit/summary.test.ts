import { describe, expect, it } from 'vitest'
import { percentile, significant, summaryOf } from '../../src/figures/summary.ts'

describe('summaryOf', () => {
  it('gives the figures of all values, in whatever order they are', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1)

    expect(summaryOf(hundred.toReversed())).toEqual({
      count: 100,
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

describe('percentile', () => {
  it.each([
    { fraction: 0, expected: 3 },
    { fraction: 0.5, expected: 5 },
    { fraction: 0.51, expected: 7 },
    { fraction: 1, expected: 9 }
  ])('is the least value that $fraction of all do not exceed', ({ fraction, expected }) => {
    expect(percentile([3, 5, 7, 9], fraction)).toBe(expected)
  })
})

describe('significant', () => {
  it.each([
    { value: 1234.5, expected: 1230 },
    { value: 0.012345, expected: 0.0123 },
    { value: 0, expected: 0 }
  ])('keeps the first digits of $value', ({ value, expected }) => {
    expect(significant(value)).toBe(expected)
  })
})
