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
    // Of the 250 there are 30 left, and one peer gets a third of them.
    expect(admitted('c')).toBe(9)
    expect(admitted('c')).toBe(0)

    time.nowMs = 1000
    expect(admitted('a')).toBe(10)
  })

  it('lets nobody wait for the floods of others, however many they are (N9f)', () => {
    const time = atTime()
    const flooders = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const admission = new RateLimits(
      { maxKeysPerSecondPerPeer: 100, maxKeysPerSecond: 250 },
      time.clock
    )
    let served = 0
    let refused = 0

    for (; time.nowMs < 10_000; time.nowMs += 10) {
      served += flooders.filter((peer) => admission.admits(peer, 10)).length
      refused += Number(time.nowMs % 500 === 0 && !admission.admits('light', 10))
    }

    expect(refused).toBe(0)
    // Peers keep the share that they used before others came at the same moment.
    expect(served * 10).toBeLessThan(250 * 10 * 1.2)
    expect(served * 10).toBeGreaterThan(250 * 10 * 0.8)
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
