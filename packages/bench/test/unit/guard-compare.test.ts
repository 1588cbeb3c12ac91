import { describe, expect, it } from 'vitest'
import { compare } from '../../src/guard/compare.ts'
import { type Random, seededRandom } from '../../src/workload/random.ts'

const TURNS = 8
const FIGURE = 'get, p50 (ms)'

/** Turns that spread around a value by this share at most. */
function turns(value: number, spread: number, random: Random) {
  return Array.from({ length: TURNS }, () => {
    return { [FIGURE]: value * (1 + spread * (2 * random() - 1)) }
  })
}

function verdictOf(factor: number, spread: number, seed: number): string | undefined {
  const random = seededRandom(seed)
  return compare(turns(1, spread, random), turns(factor, spread, random))[0]?.verdict
}

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed)

describe('compare', () => {
  it('says of equal sides that they are the same, whatever their noise', () => {
    for (const spread of [0, 0.01, 0.1, 0.5]) {
      const wrong = SEEDS.filter((seed) => verdictOf(1, spread, seed) !== 'same')
      expect(wrong.length, `spread ${spread}`).toBeLessThanOrEqual(2)
    }
  })

  it('notices a change that exceeds the noise, in either direction', () => {
    expect(SEEDS.filter((seed) => verdictOf(1.1, 0.03, seed) === 'slower').length).toBeGreaterThan(
      190
    )
    expect(SEEDS.filter((seed) => verdictOf(0.9, 0.03, seed) === 'faster').length).toBeGreaterThan(
      190
    )
  })

  it('needs more of a change when it has few pairs', () => {
    const slower = (pairs: number): number =>
      SEEDS.filter((seed) => {
        const random = seededRandom(seed)
        const [before, now] = [turns(1, 0.1, random), turns(1, 0.1, random)]
        return compare(before.slice(0, pairs), now.slice(0, pairs))[0]?.verdict !== 'same'
      }).length

    expect(slower(4)).toBeLessThanOrEqual(6)
    expect(slower(TURNS)).toBeLessThanOrEqual(2)
  })

  it('does not report a change of less than 2 %, even without noise', () => {
    expect(verdictOf(1.015, 0, 1)).toBe('same')
    expect(verdictOf(1.025, 0, 1)).toBe('slower')
  })

  it('compares pairs, so that a drift of the machine has no effect', () => {
    const drift = (factor: number) =>
      Array.from({ length: TURNS }, (_, i) => ({ [FIGURE]: factor * (1 + i / 10) }))
    const [found] = compare(drift(1), drift(1.001))

    expect(found?.ratio).toBeCloseTo(1.001)
    expect(found?.verdict).toBe('same')
  })

  it('needs all pairs but one to agree', () => {
    const before = Array.from({ length: TURNS }, () => ({ [FIGURE]: 1 }))
    const now = (slow: number) => before.map((_, i) => ({ [FIGURE]: i < slow ? 1.2 : 0.99 }))

    expect(compare(before, now(TURNS))[0]?.verdict).toBe('slower')
    expect(compare(before, now(TURNS - 2))[0]?.verdict).toBe('same')
  })
})
