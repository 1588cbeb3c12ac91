import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { later } from '../../src/entry.ts'
import { compareEntries, encodeValue, isLive, isTombstone } from '../../src/replica.ts'
import { entry, LAW, moment } from '../generators.ts'
import { modelOrder, modelWinner } from '../model.ts'

const bytes = (...list: number[]) => Uint8Array.from(list)
const signature = (byte: number) => new Uint8Array(64).fill(byte)

describe('isLive', () => {
  it('ends at the very moment of expirationTime (R1)', () => {
    const tenth = { expirationTime: 10, value: encodeValue('x') }

    expect(isLive(tenth, 9.999)).toBe(true)
    expect(isLive(tenth, 10)).toBe(false)
    expect(isLive(tenth, 10.001)).toBe(false)
  })

  it('ends for a tombstone as for a value (R1, R9)', () => {
    expect(isLive({ expirationTime: 10 }, 9.999)).toBe(true)
    expect(isLive({ expirationTime: 10 }, 10)).toBe(false)
  })

  it('compares floats without rounding them (R1)', () => {
    const moment = 1_700_000_000.25

    expect(isLive({ expirationTime: moment + 2 ** -22 }, moment)).toBe(true)
    expect(isLive({ expirationTime: moment }, moment)).toBe(false)
  })

  it('is never true again once it was false (R1)', () => {
    fc.assert(
      fc.property(entry, moment, moment, (some, now, wait) => {
        expect(isLive(some, now) || !isLive(some, now + wait)).toBe(true)
      }),
      LAW
    )
  })
})

describe('isTombstone', () => {
  it('tells a deletion from every value, null included (R9)', () => {
    expect(isTombstone({ expirationTime: 1 })).toBe(true)
    expect(isTombstone({ expirationTime: 1, signature: signature(1) })).toBe(true)
    expect(isTombstone({ expirationTime: 1, value: encodeValue(null) })).toBe(false)
    expect(isTombstone({ expirationTime: 1, value: encodeValue('') })).toBe(false)
  })
})

describe('later', () => {
  it('keeps the later expiration, whatever the bytes (R2)', () => {
    const soon = { expirationTime: 1, value: bytes(9, 9) }
    const late = { expirationTime: 1.5, value: bytes(0) }

    expect(later(soon, late)).toBe(late)
    expect(later(late, soon)).toBe(late)
  })

  it('keeps a later tombstone before an earlier value (R2, R9)', () => {
    const value = { expirationTime: 1, value: bytes(1) }
    const tombstone = { expirationTime: 2 }

    expect(later(value, tombstone)).toBe(tombstone)
    expect(later(tombstone, value)).toBe(tombstone)
  })

  it('lets a tombstone lose a tie to any value, even with a signature (R2)', () => {
    const value = { expirationTime: 1, value: bytes(0) }
    const tombstone = { expirationTime: 1, signature: signature(255) }

    expect(later(value, tombstone)).toBe(value)
    expect(later(tombstone, value)).toBe(value)
  })

  it.each([
    ['a greater byte', bytes(2), bytes(1, 255)],
    ['a longer value that begins the same', bytes(1, 0), bytes(1)],
    ['a byte above 127', bytes(128), bytes(127)]
  ])('lets %s win a tie of two values (R2)', (_, greater, lesser) => {
    const winner = { expirationTime: 1, value: greater }
    const loser = { expirationTime: 1, value: lesser, signature: signature(255) }

    expect(later(winner, loser)).toBe(winner)
    expect(later(loser, winner)).toBe(winner)
  })

  it('lets the greater signature win where all else ties (R2)', () => {
    const unsigned = { expirationTime: 1, value: bytes(1) }
    const signed = { ...unsigned, signature: signature(1) }
    const signedOtherwise = { ...unsigned, signature: signature(2) }

    expect(later(unsigned, signed)).toBe(signed)
    expect(later(signedOtherwise, signed)).toBe(signedOtherwise)
  })

  it('keeps the first of two equal entries, so that nothing changes (R3)', () => {
    const held = { expirationTime: 1, value: bytes(1), signature: signature(1) }
    const again = { expirationTime: 1, value: bytes(1), signature: signature(1) }

    expect(later(held, again)).toBe(held)
    expect(later(again, held)).toBe(again)
  })

  it('picks the same winner in either order (R2)', () => {
    fc.assert(
      fc.property(entry, entry, (a, b) => {
        expect(later(a, b)).toStrictEqual(later(b, a))
      }),
      LAW
    )
  })

  it('picks the same winner of three however they meet (R2)', () => {
    fc.assert(
      fc.property(entry, entry, entry, (a, b, c) => {
        expect(later(later(a, b), c)).toStrictEqual(later(a, later(b, c)))
      }),
      LAW
    )
  })

  it('picks the winner that the rule names, read literally (R2)', () => {
    fc.assert(
      fc.property(entry, entry, (a, b) => {
        expect(later(a, b)).toStrictEqual(modelWinner([a, b]))
      }),
      LAW
    )
  })
})

describe('compareEntries', () => {
  it('orders any two entries, equal ones only as equal (R2)', () => {
    fc.assert(
      fc.property(entry, entry, (a, b) => {
        expect(Math.sign(compareEntries(a, b))).toBe(modelOrder(a, b))
        expect(Math.sign(compareEntries(b, a))).toBe(0 - modelOrder(a, b))
      }),
      LAW
    )
  })
})
