import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apply, join, plainRecord, subkeyRecord, tombstoneRecord } from '../../src/index.ts'
import { beatingEntries, prune, subsumes } from '../../src/replica.ts'
import { LAW, moment, record, write, writeRecord } from '../generators.ts'

describe('beatingEntries', () => {
  it('proves that a write is stale, with entries that are held and no others (R6)', () => {
    fc.assert(
      fc.property(record, fc.array(write, { minLength: 1 }), moment, (held, writes, now) => {
        const one = writes.map(writeRecord).reduce((a, b) => join(a, b))
        const applied = apply(held, one, { now })
        fc.pre(!applied.isAccepted && applied.reason === 'stale')
        const proof = beatingEntries(prune(held, now), one)

        expect(apply(proof, one, { now })).toMatchObject({ isAccepted: false, reason: 'stale' })
        expect(subsumes(held, proof)).toBe(true)
      }),
      LAW
    )
  })

  it('gives one entry for a write of one (R6)', () => {
    fc.assert(
      fc.property(record, write, moment, (held, one, now) => {
        const applied = apply(held, writeRecord(one), { now })
        fc.pre(!applied.isAccepted && applied.reason === 'stale')
        const { plain, subkeys } = beatingEntries(prune(held, now), writeRecord(one))

        expect(Number(plain !== undefined) + subkeys.size).toBe(1)
      }),
      LAW
    )
  })

  it('names what wins: a later value, a deletion, a plain value that erases, a dictionary that hides', () => {
    const party = join(subkeyRecord('alice', 'yes', 20), subkeyRecord('bob', 'no', 30))
    const gone = tombstoneRecord(40)

    expect(beatingEntries(party, subkeyRecord('alice', 'no', 10))).toEqual(
      subkeyRecord('alice', 'yes', 20)
    )
    expect(beatingEntries(gone, subkeyRecord('alice', 'no', 10))).toEqual(gone)
    expect(beatingEntries(plainRecord('x', 40), plainRecord('y', 10))).toEqual(plainRecord('x', 40))
    expect(beatingEntries(party, plainRecord('y', 10))).toEqual(subkeyRecord('bob', 'no', 30))
  })
})
