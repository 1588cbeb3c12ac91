import fc from 'fast-check'
import { equals } from 'uint8arrays/equals'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type DHTRecord,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  recordSelector,
  subkeyRecord,
  tombstoneRecord
} from '../../src/index.ts'
import { DEFAULT_LIMITS, encodeValue, prune, selectorFor, subkeyId } from '../../src/replica.ts'
import { LAW, record } from '../generators.ts'
import { modelJoin, writesOf } from '../model.ts'

const key = recordKey('party')

/** The present: of the moments 0 to 3 that expirations have, 0 and 1 are past. */
const now = 1

/** Bytes that a peer may send, and the live record in them: undefined for malformed ones. */
interface Sent {
  readonly bytes: Uint8Array
  readonly live: DHTRecord | undefined
}

const malformed = [[], [1], [2, 0xa0], [1, 0xa0, 0], [1, 0xa1, 2], [0xff]]

const sent: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 6, arbitrary: record.map((some) => sentOf(encodeRecord(some), prune(some, now))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...malformed).map((bytes) => sentOf(Uint8Array.from(bytes)))
  }
)

/** Subkeys: one more than the default limits allow. */
const names = Array.from({ length: DEFAULT_LIMITS.maxSubkeys + 1 }, (_, i) => subkeyId(`${i}`))
const crowded: DHTRecord = {
  subkeys: new Map(names.sort().map((id) => [id, { expirationTime: 3, value: encodeValue(1) }]))
}

const several = fc.array(sent, { minLength: 1, maxLength: 5 })

beforeEach(() => {
  vi.useFakeTimers({ now: now * 1000 })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('recordSelector', () => {
  it('never prefers a record that another one subsumes, in whatever order (N1, R5)', () => {
    fc.assert(
      fc.property(several, (all) => {
        const picked = pick(all).live

        for (const { live } of all) {
          expect(live !== undefined && says(live, picked) && !says(picked, live)).toBe(false)
        }
      }),
      LAW
    )
  })

  it('prefers the join of two records to either, in either order (N1, R5)', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const joined = prune(join(a, b), now)
        fc.pre(writesOf(joined).length > 0)
        const [bytesA, bytesB, both] = [a, b, joined].map((some) => encodeRecord(some))
        const orders = [
          [bytesA, bytesB, both],
          [both, bytesB, bytesA],
          [bytesA, both, bytesB]
        ] as Uint8Array[][]

        for (const values of orders) {
          const picked = values[recordSelector(key, values)] as Uint8Array
          expect(says(liveOf([a, b, joined], picked), joined)).toBe(true)
        }
      }),
      LAW
    )
  })

  it('picks the same bytes in whatever order they come (N1)', () => {
    const orders = several.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })
      )
    )

    fc.assert(
      fc.property(orders, ([here, there]) => {
        fc.pre(here.some(({ live }) => live !== undefined))
        expect(pick(there).bytes).toStrictEqual(pick(here).bytes)
      }),
      LAW
    )
  })

  it('puts malformed and expired bytes last, and answers 0 if there is nothing else (N1, R1, R10)', () => {
    fc.assert(
      fc.property(several, (all) => {
        if (all.some(({ live }) => live !== undefined)) {
          expect(pick(all).live).toBeDefined()
        } else {
          expect(indexOf(all)).toBe(0)
        }
      }),
      LAW
    )
  })

  it('answers 0 for no values and for one (N1)', () => {
    expect(recordSelector(key, [])).toBe(0)
    expect(recordSelector(key, [Uint8Array.of(9)])).toBe(0)
    expect(recordSelector(key, [encodeRecord(plainRecord('x', 2))])).toBe(0)
  })

  it('prefers what is true longest of records that each say something (N1)', () => {
    expectOrder(subkeyRecord('a', 1, 3), subkeyRecord('b', 9, 2))
    expectOrder(plainRecord('x', 3), subkeyRecord('a', 1, 2))
  })

  it('prefers more subkeys, then the greater bytes, of what is true equally long (N1)', () => {
    const two = join(subkeyRecord('a', 1, 3), subkeyRecord('b', 1, 2))

    expectOrder(two, subkeyRecord('c', 1, 3))
    expectOrder(subkeyRecord('b', 1, 3), subkeyRecord('a', 2, 3))
  })

  it('prefers a deletion to what it deletes (N1, R9)', () => {
    expectOrder(tombstoneRecord(3), plainRecord('x', 2))
    expectOrder(plainRecord('x', 3), tombstoneRecord(3))
  })

  it('does not count expired subkeys (R1)', () => {
    const past = ['a', 'b', 'c'].map((name) => subkeyRecord(name, 1, 1))
    const mostlyPast = [...past, subkeyRecord('d', 1, 2)].reduce((a, b) => join(a, b))

    expectOrder(join(subkeyRecord('e', 1, 2), subkeyRecord('f', 1, 2)), mostlyPast)
  })

  it('puts a record beyond the limits last (R12)', () => {
    expectOrder(plainRecord('x', 2), crowded)
  })
})

describe('selectorFor', () => {
  it('applies the given limits (N1, R12)', () => {
    const values = [plainRecord('x', 2), crowded].map((some) => encodeRecord(some))
    const raised = selectorFor({ ...DEFAULT_LIMITS, maxSubkeys: DEFAULT_LIMITS.maxSubkeys + 1 })
    const lowered = selectorFor({ ...DEFAULT_LIMITS, maxSubkeys: DEFAULT_LIMITS.maxSubkeys })

    expect([raised, lowered].map((select) => select(key, values))).toEqual([1, 0])
  })
})

function sentOf(bytes: Uint8Array, live?: DHTRecord): Sent {
  return { bytes, live: live === undefined || writesOf(live).length === 0 ? undefined : live }
}

function indexOf(all: Sent[]): number {
  return recordSelector(
    key,
    all.map(({ bytes }) => bytes)
  )
}

function pick(all: Sent[]): Sent {
  return all[indexOf(all)] as Sent
}

/** Whether `a` already says all that `b` says: joining the two adds nothing to it. */
function says(a: DHTRecord | undefined, b: DHTRecord | undefined): boolean {
  const records = [a, b].filter((one) => one !== undefined)
  const [joined, alone] = [modelJoin(records), modelJoin(a === undefined ? [] : [a])]
  return JSON.stringify(writesOf(joined)) === JSON.stringify(writesOf(alone))
}

function liveOf(records: DHTRecord[], picked: Uint8Array): DHTRecord | undefined {
  const found = records.find((one) => equals(encodeRecord(one), picked))
  return found && prune(found, now)
}

function expectOrder(preferred: DHTRecord, other: DHTRecord): void {
  const [first, second] = [encodeRecord(preferred), encodeRecord(other)] as const

  expect(recordSelector(key, [first, second])).toBe(0)
  expect(recordSelector(key, [second, first])).toBe(1)
}
