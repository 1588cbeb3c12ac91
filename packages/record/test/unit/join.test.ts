import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type DHTRecord,
  EMPTY_RECORD,
  type Entry,
  encodeRecord,
  join,
  type Limits,
  ownerTag,
  plainRecord,
  type SubkeyId,
  subkeyRecord,
  tombstoneRecord
} from '../../src/index.ts'
import { DEFAULT_LIMITS, subkeyId, subsumes } from '../../src/replica.ts'
import { ALICE, BOB, LAW, record, TIGHT, tightRecord } from '../generators.ts'
import { modelIsOwned, modelJoin, writesOf } from '../model.ts'

/** The laws hold for records that keep within the limits under which they are joined. */
const worlds: [string, string, fc.Arbitrary<DHTRecord>, Limits][] = [
  ['without evictions', 'R5', record, DEFAULT_LIMITS],
  ['with room for two subkeys', 'R5, R13', tightRecord, TIGHT]
]

describe.each(worlds)('join %s', (_, rules, some, limits) => {
  it(`gives the same record in either order (${rules})`, () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        expect(writesOf(join(a, b, limits))).toStrictEqual(writesOf(join(b, a, limits)))
      }),
      LAW
    )
  })

  it(`gives the same record however three are grouped (${rules})`, () => {
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        expect(writesOf(join(join(a, b, limits), c, limits))).toStrictEqual(
          writesOf(join(a, join(b, c, limits), limits))
        )
      }),
      LAW
    )
  })

  it(`gives the record itself when it is joined with itself (${rules})`, () => {
    fc.assert(
      fc.property(some, (a) => {
        expect(join(a, a, limits)).toBe(a)
        expect(join(a, structuredClone(a), limits)).toBe(a)
      }),
      LAW
    )
  })

  it(`gives the other record when one is empty (${rules})`, () => {
    fc.assert(
      fc.property(some, (a) => {
        expect(join(a, EMPTY_RECORD, limits)).toBe(a)
        expect(writesOf(join(EMPTY_RECORD, a, limits))).toStrictEqual(writesOf(a))
      }),
      LAW
    )
  })

  it(`gives a itself exactly when b adds nothing to it (R3, ${rules})`, () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        const joined = join(a, b, limits)
        const isSame = JSON.stringify(writesOf(joined)) === JSON.stringify(writesOf(a))

        expect(joined === a).toBe(isSame)
        expect(join(joined, b, limits)).toBe(joined)
      }),
      LAW
    )
  })

  it(`keeps no subkey that is neither later than the plain entry nor owned (R4, R16, ${rules})`, () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        const { plain, subkeys } = join(a, b, limits)

        for (const [place, { expirationTime }] of subkeys) {
          expect(expirationTime > (plain?.expirationTime ?? -1) || modelIsOwned(place)).toBe(true)
        }
      }),
      LAW
    )
  })

  it(`gives what the rules say, read literally (R2, R4, R16, ${rules})`, () => {
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        expect(writesOf(join(join(a, b, limits), c, limits))).toStrictEqual(
          writesOf(modelJoin([a, b, c], limits.maxSubkeys))
        )
      }),
      LAW
    )
  })

  it(`gives equal bytes at every replica, whatever order records came in (R7, R10, ${rules})`, () => {
    const orders = fc
      .array(some, { minLength: 2, maxLength: 5 })
      .chain((records) =>
        fc.tuple(
          fc.constant(records),
          fc.shuffledSubarray(records, { minLength: records.length, maxLength: records.length })
        )
      )

    fc.assert(
      fc.property(orders, ([here, there]) => {
        const joinAll = (records: DHTRecord[]) =>
          records.reduce((held, next) => join(held, next, limits), EMPTY_RECORD)

        expect(encodeRecord(joinAll(here))).toStrictEqual(encodeRecord(joinAll(there)))
      }),
      LAW
    )
  })

  it(`leaves its arguments as they were (${rules})`, () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        const before = structuredClone([writesOf(a), writesOf(b)])
        join(a, b, limits)

        expect([writesOf(a), writesOf(b)]).toStrictEqual(before)
      }),
      LAW
    )
  })
})

describe('join', () => {
  const names = (from: DHTRecord) => [...from.subkeys.values()].map(({ value }) => value?.[0])

  it('erases subkeys that expire with the plain entry, and spares later ones (R4)', () => {
    const dictionary = join(subkeyRecord('a', 1, 5), subkeyRecord('b', 2, 5.5))
    const joined = join(dictionary, plainRecord('x', 5))

    expect(joined.plain?.expirationTime).toBe(5)
    expect(names(joined)).toEqual([2])
  })

  it('erases subkeys by a tombstone as by a value (R4, R9)', () => {
    const dictionary = join(subkeyRecord('a', 1, 5), subkeyRecord('b', 2, 6))

    expect(names(join(dictionary, tombstoneRecord(5)))).toEqual([2])
    expect(names(join(tombstoneRecord(6), dictionary))).toEqual([])
  })

  it('keeps the subkeys that expire last when there are too many (R13)', () => {
    const joined = [3, 1, 4, 2]
      .map((time) => subkeyRecord(`expires at ${time}`, time, time))
      .reduce((held, next) => join(held, next, TIGHT))

    expect(names(joined)).toEqual([3, 4])
  })

  it('keeps the same subkeys whether few or many are too many (R13)', () => {
    const places = Array.from({ length: 20 }, (_, i) =>
      subkeyRecord((i * 7) % 20, i % 3, 100 + (i % 5))
    )
    const all = places.reduce((joined, place) => join(joined, place))

    for (let maxSubkeys = 1; maxSubkeys < 20; maxSubkeys++) {
      const limits = { ...DEFAULT_LIMITS, maxSubkeys }
      const oneByOne = places.reduce((joined, place) => join(joined, place, limits), EMPTY_RECORD)

      expect(join(EMPTY_RECORD, all, limits)).toEqual(oneByOne)
    }
  })

  it('keeps the greater bytes, then the greater subkey, of those that expire together (R13)', () => {
    const byBytes = [subkeyRecord('c', 1, 9), subkeyRecord('b', 3, 9), subkeyRecord('a', 2, 9)]
    const bySubkey = [subkeyRecord('a', 1, 9), subkeyRecord('c', 1, 9), subkeyRecord('b', 1, 9)]
    const joinAll = (records: DHTRecord[]) => records.reduce((a, b) => join(a, b, TIGHT))

    expect(names(joinAll(byBytes))).toEqual([2, 3])
    expect([...joinAll(bySubkey).subkeys.keys()]).toEqual(['ab', 'ac'])
  })

  it('keeps owned subkeys, whatever is written in front of them (R16)', () => {
    const owned = subkeyRecord(ownerTag(ALICE), 1, 5)
    const dictionary = [owned, subkeyRecord('a', 2, 5), subkeyRecord('b', 3, 9)].reduce((a, b) =>
      join(a, b)
    )

    expect(names(join(dictionary, plainRecord('x', 7)))).toEqual([3, 1])
    expect(names(join(tombstoneRecord(9), dictionary))).toEqual([1])
  })

  it('keeps owned subkeys before any others when there are too many (R13)', () => {
    const crowd = [
      subkeyRecord(ownerTag(ALICE), 1, 5),
      tombstoneRecord(4, { subkey: ownerTag(BOB) }),
      subkeyRecord('a', 2, 9),
      subkeyRecord('b', 3, 9)
    ]

    expect(names(crowd.reduce((a, b) => join(a, b, TIGHT)))).toEqual([undefined, 1])
    expect(names(crowd.toReversed().reduce((a, b) => join(a, b, TIGHT)))).toEqual([undefined, 1])
  })

  it('counts tombstones among the subkeys, and lets values push them out (R13, R9)', () => {
    const crowd = [
      tombstoneRecord(9, { subkey: 'deleted' }),
      subkeyRecord('a', 1, 9),
      subkeyRecord('b', 2, 9)
    ]

    expect(names(crowd.reduce((a, b) => join(a, b, TIGHT)))).toEqual([1, 2])
  })
})

describe.each([
  ['a small dictionary', 3],
  ['a large dictionary', 300]
])('join of %s', (_, size) => {
  const value = Uint8Array.of(1)
  const entries = (count: number) =>
    new Map(Array.from({ length: count }, (_, i) => [subkeyId(i), { expirationTime: 5, value }]))

  it('keeps the held one of two equal entries, also when others are added (R2, R3)', () => {
    const held = join(EMPTY_RECORD, { subkeys: sorted(entries(size)) })
    const copy = { subkeys: sorted(new Map([...entries(2), [subkeyId('new'), later]])) }
    const joined = join(held, copy)

    expect(joined.subkeys.size).toBe(size + 1)
    for (const [id, entry] of held.subkeys) {
      expect(joined.subkeys.get(id)).toBe(entry)
    }
  })

  const later: Entry = { expirationTime: 6, value }
})

function sorted(subkeys: ReadonlyMap<SubkeyId, Entry>): ReadonlyMap<SubkeyId, Entry> {
  return new Map([...subkeys].sort(([a], [b]) => (a < b ? -1 : 1)))
}

describe('subsumes', () => {
  it('is true exactly when joining adds nothing (R3, R5)', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const isSame =
          JSON.stringify(writesOf(modelJoin([a, b]))) === JSON.stringify(writesOf(modelJoin([a])))

        expect(subsumes(a, b)).toBe(isSame)
      }),
      LAW
    )
  })

  it('is true of a join and each of its two records (R5)', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        expect(subsumes(join(a, b), a)).toBe(true)
        expect(subsumes(join(a, b), b)).toBe(true)
      }),
      LAW
    )
  })
})
