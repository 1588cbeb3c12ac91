import { MAX_CLOCK_SKEW } from '@waggle/record/replica'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ClockReading,
  clockReading,
  describeSkew,
  isSkewed,
  isTelling,
  median
} from '../../src/clock-reading.ts'

const ASKED_AT = 1_700_000_000

function readingOf(skewMs: number, uncertaintyMs = 0): ClockReading {
  return { localTime: ASKED_AT, peerTime: ASKED_AT + skewMs / 1000, skewMs, uncertaintyMs }
}

describe('clockReading', () => {
  it('is wrong by no more than it says, wherever on its way the answer was delayed', () => {
    const delayMs = fc.integer({ min: 0, max: 5000 })
    const trueSkewMs = fc.integer({ min: -10_000, max: 10_000 })

    fc.assert(
      fc.property(delayMs, delayMs, trueSkewMs, (thereMs, backMs, trueMs) => {
        const peerTime = ASKED_AT + (thereMs + trueMs) / 1000
        const tookMs = thereMs + backMs
        const { skewMs, uncertaintyMs } = clockReading({ askedAt: ASKED_AT, tookMs, peerTime })

        expect(Math.abs(skewMs - trueMs)).toBeLessThanOrEqual(uncertaintyMs + 0.01)
      })
    )
  })

  it('counts a peer that is ahead as positive', () => {
    const answer = { askedAt: ASKED_AT, tookMs: 100, peerTime: ASKED_AT + 5 }

    expect(clockReading(answer).skewMs).toBeCloseTo(4950, 3)
    expect(clockReading(answer).uncertaintyMs).toBe(50)
  })
})

describe('isSkewed', () => {
  it.each([
    [MAX_CLOCK_SKEW * 1000, 0, false],
    [MAX_CLOCK_SKEW * 1000 + 1, 0, true],
    [-MAX_CLOCK_SKEW * 1000 - 1, 0, true],
    [MAX_CLOCK_SKEW * 1000 + 1, 1, false],
    [10_000, 8000, false],
    [-10_000, 6000, true]
  ])('takes %i ms, give or take %i, for too much: %s', (skewMs, uncertaintyMs, expected) => {
    expect(isSkewed(readingOf(skewMs, uncertaintyMs))).toBe(expected)
  })
})

describe('isTelling', () => {
  it.each([
    [0, 0, true],
    [900, 1000, true],
    [-4000, 4000, false],
    [4200, 1300, false],
    [4400, 1300, true],
    [-3_600_000, 10_000, true]
  ])(
    'is so up to an uncertainty of a second, and if the clocks differ certainly: %d ± %d ms, %s (N8j)',
    (skewMs, uncertaintyMs, expected) => {
      expect(isTelling(readingOf(skewMs, uncertaintyMs))).toBe(expected)
    }
  )
})

describe('median', () => {
  it.each([
    [[], undefined],
    [[5], 5],
    [[9, -1, 5], 5],
    [[1, 2, 1000, 4], 3]
  ])('of %j is %j', (values, expected) => {
    expect(median(values)).toBe(expected)
  })
})

describe('describeSkew', () => {
  it('has both times, the difference and the limit', () => {
    expect(describeSkew(readingOf(7250, 20))).toBe(
      'it shows 2023-11-14T22:13:27.250Z while ours shows 2023-11-14T22:13:20.000Z: 7.3 s more (± 0.020 s), where 3 s are allowed'
    )
    expect(describeSkew(readingOf(-7250, 20))).toContain('7.3 s less')
  })

  it('survives a time that no calendar has', () => {
    expect(describeSkew({ ...readingOf(0), peerTime: 1e300 })).toContain('it shows 1e+300')
  })
})
