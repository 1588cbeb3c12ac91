import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  EMPTY_RECORD,
  type HivemindEntry,
  type HivemindRecord,
  join,
  prune,
  recordOf
} from '../../src/record/record.ts'
import type { HivemindWrite } from '../../src/record/write.ts'
import { DEFAULT_HIVEMIND_LIMITS } from '../../src/replica/limits.ts'
import { type Taken, takeAll } from '../../src/replica/take.ts'

/** Few moments, few bytes and few subkeys, so that ties are common. */
const entries = fc.record<HivemindEntry>({
  expirationTime: fc.integer({ min: 1, max: 3 }),
  value: fc.constantFrom(...[0, 1, 2].map((byte) => Uint8Array.of(byte)))
})
const names = fc.constantFrom('\xa1a', '\xa1b', '\x01')
const dictionaries = fc
  .uniqueArray(fc.tuple(names, entries), { selector: ([name]) => name, minLength: 1 })
  .map((list) => recordOf(undefined, new Map(list)))
const atReplicas: fc.Arbitrary<HivemindRecord> = fc.oneof(
  fc.constant(EMPTY_RECORD),
  entries.map((entry) => recordOf(entry)),
  dictionaries
)
const records = fc
  .array(atReplicas, { maxLength: 3 })
  .map((list) => list.reduce(join, EMPTY_RECORD))
const writes = fc
  .record({ subkey: fc.option(names, { nil: undefined }) })
  .chain(({ subkey }) => entries.map((entry) => ({ ...entry, subkey })))

/** Returns a record's entries without their order, which only replicas know. */
function held({ plain, subkeys }: HivemindRecord): unknown {
  return { plain, subkeys: [...subkeys].toSorted(([a], [b]) => (a < b ? -1 : 1)) }
}

describe('join', () => {
  it('gives the same whichever comes first', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        expect(held(join(a, b))).toEqual(held(join(b, a)))
      })
    )
  })

  it('gives the same however three are taken together', () => {
    fc.assert(
      fc.property(records, records, records, (a, b, c) => {
        expect(held(join(join(a, b), c))).toEqual(held(join(a, join(b, c))))
      })
    )
  })

  it('adds nothing that is there already', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        const both = join(a, b)
        expect(held(join(both, a))).toEqual(held(both))
        expect(held(join(a, EMPTY_RECORD))).toEqual(held(a))
      })
    )
  })

  it('settles ties by the bytes, whatever the replicas took first', () => {
    const low = recordOf({ value: Uint8Array.of(1), expirationTime: 1 })
    const high = recordOf({ value: Uint8Array.of(2), expirationTime: 1 })
    expect(join(low, high).plain).toEqual(high.plain)
    expect(join(high, low).plain).toEqual(high.plain)
  })

  it('brings readers of two replicas that took the same writes in other orders to the same', () => {
    fc.assert(
      fc.property(fc.array(writes), (list) => {
        const there = replica(list)
        const back = replica(list.toReversed())
        expect(held(join(there, back))).toEqual(held(join(back, there)))
      })
    )
  })
})

function replica(
  list: readonly (HivemindEntry & { subkey: string | undefined })[]
): HivemindRecord {
  return list.reduce((record, write) => apply(record, write).record, EMPTY_RECORD)
}

function apply(record: HivemindRecord, ...list: readonly HivemindWrite[]): Taken {
  return takeAll(record, list, { limits: DEFAULT_HIVEMIND_LIMITS, now: 0 })
}

describe('takeAll', () => {
  it('does with many writes at once what it does with one after the other', () => {
    fc.assert(
      fc.property(fc.array(writes), fc.array(writes), (earlier, list) => {
        const { record } = apply(EMPTY_RECORD, ...earlier)
        const one = list.reduce((before, write) => apply(before, write).record, record)
        expect(apply(record, ...list).record).toEqual(one)
      })
    )
  })

  it('changes nothing when it refuses', () => {
    fc.assert(
      fc.property(atReplicas, writes, (record, write) => {
        const applied = apply(record, write)
        expect(applied.record === record).toBe(!applied.isAccepted)
      })
    )
  })

  it('never holds a plain value and a dictionary at once', () => {
    fc.assert(
      fc.property(fc.array(writes), (list) => {
        const { plain, subkeys } = replica(list)
        expect(plain !== undefined && subkeys.size > 0).toBe(false)
      })
    )
  })

  it('shows a write that it accepted', () => {
    fc.assert(
      fc.property(atReplicas, writes, (record, write) => {
        const { isAccepted, record: next } = apply(record, write)
        const { value, expirationTime } = write

        if (isAccepted) {
          const shown = write.subkey === undefined ? [next.plain] : [...next.subkeys.values()]
          expect(shown).toContainEqual({ value, expirationTime })
        }
      })
    )
  })

  it('refuses a second write of what it holds', () => {
    fc.assert(
      fc.property(atReplicas, writes, (record, write) => {
        expect(apply(apply(record, write).record, write).isAccepted).toBe(false)
      })
    )
  })
})

describe('prune', () => {
  it('leaves what is later than now', () => {
    fc.assert(
      fc.property(atReplicas, fc.integer({ min: 0, max: 4 }), (record, now) => {
        const { plain, subkeys } = prune(record, now)
        const left = [...(plain ? [plain] : []), ...subkeys.values()]
        const all = [...(record.plain ? [record.plain] : []), ...record.subkeys.values()]
        expect(left).toEqual(all.filter(({ expirationTime }) => expirationTime > now))
      })
    )
  })
})
