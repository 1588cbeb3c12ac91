import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tally } from '../../src/collections/tally.ts'

describe('Tally', () => {
  it('has the sum of all that was added to each key, and keeps no key without a count', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.constantFrom(1, 2))), (added) => {
        const tally = new Tally<number>()

        for (const [key, by] of added) {
          tally.add(key, by)
        }

        const sum = (key: number): number =>
          added.reduce((total, [of, by]) => total + (of === key ? by : 0), 0)
        expect([0, 1, 2, 3].map((key) => tally.get(key))).toEqual([0, 1, 2, 3].map(sum))

        for (const [key, by] of added) {
          tally.add(key, -by)
        }

        expect([...tally]).toEqual([])
        expect(tally.size).toBe(0)
      })
    )
  })

  it('finds the largest count, the first of equals', () => {
    const tally = new Tally<string>()
    expect(tally.largest()).toEqual([undefined, 0])
    tally.add('a', 2)
    tally.add('b', 3)
    tally.add('c', 3)
    expect(tally.largest()).toEqual(['b', 3])
    expect(tally.has('a')).toBe(true)
    expect(tally.has('d')).toBe(false)
  })
})
