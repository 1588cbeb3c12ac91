import { describe, expect, it } from 'vitest'
import { doubled, spread } from '../../src/timing/doubling.ts'

describe('doubled', () => {
  it('doubles with each failure after the first, up to the limit', () => {
    expect([0, 1, 2, 3, 4, 5000].map((failures) => doubled(100, failures, 1000))).toEqual([
      100, 200, 400, 800, 1000, 1000
    ])
    expect(doubled(1, 10)).toBe(1024)
  })
})

describe('spread', () => {
  it('is from half of the time to all of it', () => {
    expect([0, 0.5, 1].map((random) => spread(100, random))).toEqual([50, 75, 100])
  })
})
