import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEDGE_MS } from '../../src/constants.ts'
import { MAX_HEDGE_MS, ResponseTimes } from '../../src/lookup/response-times.ts'

function timesOf(tookMs: number, isConnected: boolean): ResponseTimes {
  const times = new ResponseTimes()

  for (let i = 0; i < 50; i++) {
    times.record(tookMs, isConnected)
  }

  return times
}

describe('ResponseTimes', () => {
  it('takes no response for late within the hedging delay, nor for timely after a second (N10e)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10_000), fc.boolean())), (responses) => {
        const times = new ResponseTimes()

        for (const [tookMs, isConnected] of responses) {
          times.record(tookMs, isConnected)
        }

        for (const isConnected of [true, false]) {
          expect(times.lateAfterMs(isConnected)).toBeGreaterThanOrEqual(HEDGE_MS)
          expect(times.lateAfterMs(isConnected)).toBeLessThanOrEqual(MAX_HEDGE_MS)
        }

        expect(times.lateAfterMs(false)).toBeGreaterThanOrEqual(times.lateAfterMs(true))
      })
    )
  })

  it('takes steady responses for timely, however slow (N10e)', () => {
    expect(timesOf(300, true).lateAfterMs(true)).toBeGreaterThan(300)
    expect(timesOf(800, false).lateAfterMs(false)).toBeGreaterThan(800)
  })

  it('expects a dial to take a few times what a response takes until one was measured (N10e)', () => {
    expect(timesOf(60, true).lateAfterMs(false)).toBeGreaterThan(4 * 60)
    expect(timesOf(250, false).lateAfterMs(false)).toBeLessThan(2 * 250)
  })
})
