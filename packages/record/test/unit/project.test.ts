import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  apply,
  decodeRecord,
  encodeRecord,
  isEmpty,
  join,
  ownerTag,
  plainRecord,
  subkeyRecord,
  tombstoneRecord,
  view
} from '../../src/index.ts'
import { project, subkeyId } from '../../src/replica.ts'
import { ALICE, anyRecord, LAW, PLACES, record } from '../generators.ts'

const some = fc.subarray([...PLACES])

describe('project', () => {
  it('of a join is the join of the projections (R5)', () => {
    fc.assert(
      fc.property(record, record, some, (a, b, ids) => {
        expect(project(join(a, b), ids)).toEqual(join(project(a, ids), project(b, ids)))
      }),
      LAW
    )
  })

  it('merges as that part of the whole does, whichever of the two is known (R4, R5, R16)', () => {
    fc.assert(
      fc.property(record, record, some, (known, whole, ids) => {
        const merged = join(known, project(whole, ids))

        expect(project(merged, ids)).toEqual(project(join(known, whole), ids))
        expect(join(merged, whole)).toEqual(join(known, whole))
      }),
      LAW
    )
  })

  it('gives a valid record, with no other subkeys, and the plain entry (R10)', () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), (from, seed) => {
        const ids = [...from.subkeys.keys()].filter((_, i) => (seed >> i) & 1)
        const part = project(from, ids)

        expect(decodeRecord(encodeRecord(part))).toEqual(part)
        expect([...part.subkeys.keys()]).toEqual(ids)
        expect(part.plain).toBe(from.plain)
      }),
      LAW
    )
  })

  it('has the tombstone of a subkey, and of the key that erases it (R4, R9)', () => {
    const party = subkeyRecord('alice', 'yes', 100)
    const [id, other] = [subkeyId('alice'), subkeyId('bob')]
    const deleted = join(party, tombstoneRecord(101, { subkey: 'alice' }))
    const erased = join(party, tombstoneRecord(101))

    expect(view(project(party, [id]), 0)?.value).toEqual(
      new Map([['alice', { value: 'yes', expirationTime: 100 }]])
    )

    for (const gone of [deleted, erased]) {
      expect(isEmpty(project(gone, [id]))).toBe(false)
      expect(view(join(party, project(gone, [id])), 0)).toBeUndefined()
    }

    expect(isEmpty(project(party, [other]))).toBe(true)
  })

  it('is taken by a replica that holds something older, and spares what is owned (R6, R16)', () => {
    const id = subkeyId(ownerTag(ALICE))
    const mine = subkeyRecord(ownerTag(ALICE), 'mine', 50)
    const whole = join(join(mine, subkeyRecord('bob', 'no', 200)), plainRecord('plain', 100))
    const applied = apply(subkeyRecord('bob', 'yes', 150), project(whole, [id]), { now: 0 })

    expect(applied).toMatchObject({ isAccepted: true })
    expect([...applied.record.subkeys.keys()].sort()).toEqual([id, subkeyId('bob')].sort())
  })
})
