import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../src/admission/token-bucket.ts'

const request = fc.record({ afterMs: fc.nat(3000), count: fc.integer({ min: 1, max: 20 }) })

describe('TokenBucket', () => {
  it('admits no more than what was saved up, the rate, and one request beyond', () => {
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 50 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 30 }),
        (requests, perSecond, burst) => {
          let nowMs = 0
          let taken = 0
          const bucket = new TokenBucket({ perSecond, burst, nowMs: () => nowMs })

          for (const { afterMs, count } of requests) {
            nowMs += afterMs
            taken += bucket.tryTake(count) ? count : 0
            expect(taken).toBeLessThanOrEqual(burst + (nowMs / 1000) * perSecond + 20)
          }
        }
      )
    )
  })

  it('admits any request in the end, however large those before it were', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 20 }), (requests) => {
        let nowMs = 0
        const bucket = new TokenBucket({ perSecond: 5, nowMs: () => nowMs })

        for (const { count } of requests) {
          const overdrawn = Math.max(0, -bucket.tokens)
          nowMs += (overdrawn / 5) * 1000 + 1
          expect(bucket.tryTake(count)).toBe(true)
        }
      })
    )
  })

  it('saves up no more than its burst, however long it is idle', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 30 }), (idleMs, burst) => {
        let nowMs = 0
        const bucket = new TokenBucket({ perSecond: 5, burst, nowMs: () => nowMs })
        bucket.take(burst)
        nowMs = idleMs
        expect(bucket.tokens).toBeCloseTo(Math.min(burst, (idleMs / 1000) * 5))
      })
    )
  })

  it('saves up a second when no burst is given, and starts full', () => {
    let nowMs = 0
    const bucket = new TokenBucket({ perSecond: 7, nowMs: () => nowMs })
    expect(bucket.tokens).toBe(7)
    nowMs = 60_000
    expect(bucket.tokens).toBe(7)
  })

  it('leaves its tokens where fewer than required are there', () => {
    const bucket = new TokenBucket({ perSecond: 5, nowMs: () => 0 })
    bucket.take(4.5)
    expect(bucket.tryTake(1, 1)).toBe(false)
    expect(bucket.tokens).toBe(0.5)
    expect(bucket.tryTake(1)).toBe(true)
    expect(bucket.tokens).toBe(-0.5)
  })
})
