import { describe, expect, it } from 'vitest'
import { RateLimits } from '../../src/admission/rate-limits.ts'

function atTime(): { nowMs: number; clock: () => number } {
  const time = { nowMs: 0, clock: () => time.nowMs }
  return time
}

describe('RateLimits', () => {
  it('lets each peer ask for its rate, and all together for theirs (N9f)', () => {
    const time = atTime()
    const admission = new RateLimits(
      { maxKeysPerSecondPerPeer: 100, maxKeysPerSecond: 250 },
      time.clock
    )
    const admitted = (peer: string): number =>
      Array.from({ length: 50 }, () => admission.admits(peer, 10)).filter(Boolean).length

    // One more than the rate: what is begun is let through, and paid for later.
    expect(admitted('a')).toBe(11)
    expect(admitted('a')).toBe(0)
    expect(admitted('b')).toBe(11)
    expect(admitted('c')).toBe(4)

    time.nowMs = 1000
    expect(admitted('a')).toBe(10)
  })

  it('saves up no more than a second', () => {
    const time = atTime()
    const admission = new RateLimits(
      { maxKeysPerSecondPerPeer: 5, maxKeysPerSecond: 50 },
      time.clock
    )
    time.nowMs = 1_000_000

    const admitted = Array.from({ length: 50 }, () => admission.admits('a', 1)).filter(Boolean)
    expect(admitted).toHaveLength(6)
  })
})
