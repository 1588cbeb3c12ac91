import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  apply,
  type DHTRecord,
  EMPTY_RECORD,
  join,
  plainRecord,
  subkeyRecord,
  tombstoneRecord,
  view
} from '../../src/index.ts'
import {
  DEFAULT_LIMITS,
  decodeValue,
  encodedSize,
  parseSubkeyId,
  prune
} from '../../src/replica.ts'
import { LAW, moment, record, TIGHT, tightRecord, write, writeRecord } from '../generators.ts'
import {
  modelAccepts,
  modelIsOwned,
  modelJoin,
  modelOrder,
  modelShown,
  writesOf
} from '../model.ts'

const now = 0

describe('apply', () => {
  it('accepts exactly the writes that the rule names, read literally (R6, R3, R16)', () => {
    fc.assert(
      fc.property(record, write, moment, (held, one, now) => {
        const { isAccepted } = apply(held, writeRecord(one), { now })

        expect(isAccepted).toBe(modelAccepts(held, one, now))
      }),
      LAW
    )
  })

  it('changes nothing when it rejects (R6)', () => {
    fc.assert(
      fc.property(record, write, moment, (held, one, now) => {
        const before = structuredClone(writesOf(held))
        const applied = apply(held, writeRecord(one), { now })

        expect(applied.isAccepted || applied.record === held).toBe(true)
        expect(writesOf(held)).toStrictEqual(before)
      }),
      LAW
    )
  })

  it('gives the join of what is live when it accepts (R6, R1)', () => {
    fc.assert(
      fc.property(record, write, moment, (held, one, now) => {
        const applied = apply(held, writeRecord(one), { now })
        const joined = join(prune(held, now), writeRecord(one))

        expect(writesOf(applied.record)).toStrictEqual(writesOf(applied.isAccepted ? joined : held))
      }),
      LAW
    )
  })

  it('shows a reader every write that it accepts (R6, R8)', () => {
    fc.assert(
      fc.property(record, write, moment, (held, one, now) => {
        const { isAccepted, record } = apply(held, writeRecord(one), { now })
        fc.pre(isAccepted)

        const { value, expirationTime } = one.entry
        const expected =
          value === undefined ? undefined : { value: decodeValue(value), expirationTime }
        const seen = view(record, now)
        const dictionary = seen?.value instanceof Map ? seen.value : new Map()

        expect(
          one.place === undefined ? seen : dictionary.get(parseSubkeyId(one.place))
        ).toStrictEqual(expected)
      }),
      LAW
    )
  })

  it('hides only what the write beats, erases, or puts a dictionary in front of (R6, R4, R8)', () => {
    fc.assert(
      fc.property(record, write, moment, (held, one, now) => {
        const after = modelShown(apply(held, writeRecord(one), { now }).record, now)

        for (const { place, entry } of modelShown(held, now)) {
          const isStillShown = after.some(
            (shown) => shown.place === place && modelOrder(shown.entry, entry) === 0
          )
          const isBeaten = place === one.place && modelOrder(one.entry, entry) > 0
          const isErased =
            one.place === undefined &&
            one.entry.expirationTime >= entry.expirationTime &&
            !modelIsOwned(place)
          const isBehind = place === undefined && one.place !== undefined

          expect(isStillShown || isBeaten || isErased || isBehind).toBe(true)
        }
      }),
      LAW
    )
  })

  it.each([
    ['with room for everything', record, DEFAULT_LIMITS],
    ['in a crowded dictionary', tightRecord, TIGHT]
  ])(
    'leaves an owned subkey as it is, %s, unless its owner writes (R16, R13)',
    (_, some, limits) => {
      const strangersWrite = write.filter(({ place }) => !modelIsOwned(place))

      fc.assert(
        fc.property(some, fc.array(strangersWrite, { maxLength: 4 }), (held, writes) => {
          const after = writes.reduce(
            (before, one) => apply(before, writeRecord(one), { now, limits }).record,
            held
          )

          for (const { place, entry } of writesOf(prune(held, now))) {
            if (place !== undefined && modelIsOwned(place)) {
              expect(after.subkeys.get(place)).toStrictEqual(entry)
            }
          }
        }),
        LAW
      )
    }
  )

  it('accepts a write again and changes nothing (R3)', () => {
    fc.assert(
      fc.property(record, write, moment, (held, one, now) => {
        const first = apply(held, writeRecord(one), { now })
        fc.pre(first.isAccepted)
        const again = apply(first.record, structuredClone(writeRecord(one)), { now })

        expect(again.isAccepted).toBe(true)
        expect(again.record).toBe(first.record)
      }),
      LAW
    )
  })

  it('accepts a whole record if any of its entries can be seen (R6, R7)', () => {
    fc.assert(
      fc.property(record, record, (held, copy) => {
        const { isAccepted } = apply(held, copy, { now })
        const joined = modelJoin([prune(held, now), prune(copy, now)])
        const isPlainShown = modelShown(joined, now).every(({ place }) => place === undefined)

        const isAnySeen = writesOf(prune(copy, now)).some(({ place, entry }) =>
          writesOf(joined).some(
            (kept) =>
              kept.place === place &&
              modelOrder(kept.entry, entry) === 0 &&
              (place !== undefined || isPlainShown)
          )
        )
        expect(isAccepted).toBe(isAnySeen)
      }),
      LAW
    )
  })
})

describe('apply in a crowded dictionary', () => {
  it('accepts a write only if its subkey survives (R6, R13)', () => {
    fc.assert(
      fc.property(tightRecord, write, (held, one) => {
        const applied = apply(held, writeRecord(one), { now, limits: TIGHT })
        const survivors = modelJoin([prune(held, now), writeRecord(one)], TIGHT.maxSubkeys)
        const isKept = one.place === undefined || survivors.subkeys.has(one.place)

        expect(applied.isAccepted).toBe(modelAccepts(held, one, now) && isKept)
        expect(applied.record.subkeys.size).toBeLessThanOrEqual(TIGHT.maxSubkeys)
      }),
      LAW
    )
  })

  it('evicts what expires first for a later subkey, and rejects an earlier one as full (R13)', () => {
    const held = join(subkeyRecord('a', 1, 5), subkeyRecord('b', 2, 6))
    const options = { now, limits: TIGHT }

    const { isAccepted, record } = apply(held, subkeyRecord('c', 3, 7), options)
    expect(isAccepted).toBe(true)
    expect([...record.subkeys.keys()]).toEqual(['ab', 'ac'])

    expect(apply(held, subkeyRecord('c', 3, 4), options)).toStrictEqual({
      isAccepted: false,
      record: held,
      reason: 'full'
    })
  })

  it('rejects a subkey that is both late and crowded out as stale (R6, R13)', () => {
    const held = [plainRecord('x', 4), subkeyRecord('a', 1, 5), subkeyRecord('b', 2, 6)].reduce(
      (a, b) => join(a, b)
    )

    expect(apply(held, subkeyRecord('c', 3, 4), { now, limits: TIGHT })).toMatchObject({
      reason: 'stale'
    })
  })

  it('rejects what would take too many bytes as full, and evicts nothing for it (R13, R12)', () => {
    const held = subkeyRecord('a', 'x'.repeat(50), 5)
    const more = subkeyRecord('b', 'y'.repeat(50), 500)
    const maxRecordBytes = encodedSize(join(held, more))

    const exact = { now, limits: { ...DEFAULT_LIMITS, maxRecordBytes } }
    expect(apply(held, more, exact)).toMatchObject({ isAccepted: true })

    const tooSmall = { now, limits: { ...DEFAULT_LIMITS, maxRecordBytes: maxRecordBytes - 1 } }
    expect(apply(held, more, tooSmall)).toStrictEqual({
      isAccepted: false,
      record: held,
      reason: 'full'
    })
  })

  it('counts no bytes of what has expired (R1, R12)', () => {
    const held = subkeyRecord('a', 'x'.repeat(50), 5)
    const more = subkeyRecord('b', 'y'.repeat(50), 500)
    const limits = { ...DEFAULT_LIMITS, maxRecordBytes: encodedSize(more) }

    expect(apply(held, more, { now: 4, limits })).toMatchObject({ reason: 'full' })
    expect(apply(held, more, { now: 5, limits })).toMatchObject({ isAccepted: true, record: more })
  })
})

describe('apply, case by case', () => {
  const dictionary = join(subkeyRecord('a', 1, 5), subkeyRecord('b', 2, 7))
  const rejected = (held: DHTRecord, write: DHTRecord) => apply(held, write, { now })

  it('rejects what has expired, at the very moment (R1, R6)', () => {
    const write = plainRecord('x', 10)

    expect(apply(EMPTY_RECORD, write, { now: 9.999 })).toMatchObject({ isAccepted: true })
    expect(apply(EMPTY_RECORD, write, { now: 10 })).toStrictEqual({
      isAccepted: false,
      record: EMPTY_RECORD,
      reason: 'expired'
    })
  })

  it('ignores expired entries (R1, R6)', () => {
    const held = plainRecord('old', 10)
    const write = subkeyRecord('a', 1, 9)

    expect(apply(held, write, { now: 8 })).toMatchObject({ reason: 'stale' })
    expect(apply(subkeyRecord('a', 0, 5), plainRecord('x', 9), { now: 5 }).record).toStrictEqual(
      plainRecord('x', 9)
    )
  })

  it('reads the clock when the caller does not say the time (R1)', () => {
    expect(apply(EMPTY_RECORD, plainRecord('x', Date.now() / 1000 - 1))).toMatchObject({
      reason: 'expired'
    })
    expect(apply(EMPTY_RECORD, plainRecord('x', Date.now() / 1000 + 60))).toMatchObject({
      isAccepted: true
    })
  })

  it('rejects a plain write while a later subkey shows (R6, R8)', () => {
    expect(rejected(dictionary, plainRecord('x', 6))).toMatchObject({ reason: 'stale' })
    expect(rejected(dictionary, tombstoneRecord(6))).toMatchObject({ reason: 'stale' })
  })

  it('accepts a plain write that erases every subkey, even those it ties with (R6, R4)', () => {
    expect(apply(dictionary, plainRecord('x', 7), { now }).record).toStrictEqual(
      plainRecord('x', 7)
    )
  })

  it('accepts a plain write in front of which only deleted subkeys stand (R6, R8, R9)', () => {
    const deleted = tombstoneRecord(9, { subkey: 'a' })
    const { isAccepted, record } = apply(deleted, plainRecord('x', 5), { now })

    expect(isAccepted).toBe(true)
    expect(view(record, now)).toStrictEqual({ value: 'x', expirationTime: 5 })
    expect(record.subkeys.size).toBe(1)
  })

  it('rejects a subkey write that is not later than the plain entry (R6, R4)', () => {
    const held = plainRecord('x', 5)

    expect(rejected(held, subkeyRecord('a', 1, 5))).toMatchObject({ reason: 'stale' })
    expect(apply(held, subkeyRecord('a', 1, 5.5), { now })).toMatchObject({ isAccepted: true })
  })

  it('accepts a deletion and rejects what expires before it (R9, R2)', () => {
    const { record } = apply(plainRecord('x', 5), tombstoneRecord(6), { now })

    expect(view(record, now)).toBeUndefined()
    expect(rejected(record, plainRecord('late', 5.5))).toMatchObject({ reason: 'stale' })
    expect(apply(record, plainRecord('new', 6), { now })).toMatchObject({ isAccepted: true })
  })

  it('rejects a deletion that ties with a value (R9, R2)', () => {
    expect(rejected(plainRecord('x', 5), tombstoneRecord(5))).toMatchObject({ reason: 'stale' })
    expect(rejected(dictionary, tombstoneRecord(7, { subkey: 'b' }))).toMatchObject({
      reason: 'stale'
    })
  })

  it('deletes one subkey and leaves the others (R9)', () => {
    const { record } = apply(dictionary, tombstoneRecord(6, { subkey: 'a' }), { now })

    expect(view(record, now)?.value).toStrictEqual(
      new Map([['b', { value: 2, expirationTime: 7 }]])
    )
  })
})
