import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  EMPTY_RECORD,
  isEmpty,
  join,
  plainRecord,
  subkeyRecord,
  tombstoneRecord
} from '../../src/index.ts'
import { firstExpiration, lastExpiration, prune } from '../../src/replica.ts'
import { LAW, moment, record } from '../generators.ts'
import { modelJoin, writesOf } from '../model.ts'

describe('prune', () => {
  it('leaves out what has expired, at the very moment (R1)', () => {
    const held = join(plainRecord('x', 5), subkeyRecord('a', 1, 6))

    expect(prune(held, 4.999)).toBe(held)
    expect(writesOf(prune(held, 5))).toHaveLength(1)
    expect(prune(held, 5)).not.toHaveProperty('plain')
    expect(isEmpty(prune(held, 6))).toBe(true)
  })

  it('keeps exactly the entries that are live (R1)', () => {
    fc.assert(
      fc.property(record, moment, (held, now) => {
        expect(writesOf(prune(held, now))).toStrictEqual(
          writesOf(held).filter(({ entry }) => entry.expirationTime > now)
        )
      }),
      LAW
    )
  })

  it('gives the record itself when nothing has expired (R1)', () => {
    fc.assert(
      fc.property(record, (held) => {
        expect(prune(held, -1)).toBe(held)
        expect(prune(prune(held, 1), 1)).toStrictEqual(prune(held, 1))
      }),
      LAW
    )
  })

  it('gives the same record before a join as after it (R1, R5)', () => {
    fc.assert(
      fc.property(record, record, moment, (a, b, now) => {
        const prunedFirst = join(prune(a, now), prune(b, now))

        expect(writesOf(prune(join(a, b), now))).toStrictEqual(writesOf(prunedFirst))
        expect(writesOf(prunedFirst)).toStrictEqual(writesOf(prune(modelJoin([a, b]), now)))
      }),
      LAW
    )
  })
})

describe('isEmpty', () => {
  it('is true only of a record without entries (R5)', () => {
    expect(isEmpty(EMPTY_RECORD)).toBe(true)
    expect(isEmpty(plainRecord(null, 1))).toBe(false)
    expect(isEmpty(subkeyRecord('a', null, 1))).toBe(false)
  })

  it('is false of a record with only tombstones (R9)', () => {
    expect(isEmpty(tombstoneRecord(1))).toBe(false)
    expect(isEmpty(tombstoneRecord(1, { subkey: 'a' }))).toBe(false)
  })
})

describe('firstExpiration', () => {
  it('is the moment from which not all is live (R1)', () => {
    fc.assert(
      fc.property(record, (held) => {
        const first = firstExpiration(held)

        expect(prune(held, first - 0.5)).toBe(held)
        expect(prune(held, first) === held).toBe(isEmpty(held))
      }),
      LAW
    )
  })
})

describe('lastExpiration', () => {
  it('is the moment from which nothing is live (R1)', () => {
    fc.assert(
      fc.property(record, (held) => {
        const last = lastExpiration(held)

        expect(isEmpty(prune(held, last))).toBe(true)
        expect(isEmpty(prune(held, last - 0.5))).toBe(isEmpty(held))
      }),
      LAW
    )
  })

  it('is 0 for the empty record (R1)', () => {
    expect(lastExpiration(EMPTY_RECORD)).toBe(0)
  })
})
