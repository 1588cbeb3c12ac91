import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LargeDictionary } from '../../src/dictionary/large-dictionary.ts'
import {
  type DHTRecord,
  type Entry,
  encodeRecord,
  join,
  type Limits,
  ownerTag,
  type SubkeyId
} from '../../src/index.ts'
import {
  DEFAULT_LIMITS,
  encodedSize,
  firstExpiration,
  lastExpiration,
  prune,
  subkeyId
} from '../../src/replica.ts'
import { ALICE, entry, moment } from '../generators.ts'
import { modelJoin, writesOf } from '../model.ts'

/** Entries of the full dictionary: enough to be cut into chunks, and few enough that writes often meet. */
const ENTRIES = 300
const LIMITS: Limits = { ...DEFAULT_LIMITS, maxSubkeys: ENTRIES }
const LAW = { numRuns: 300 }

/** Makes a subkey, owned for some numbers. */
function idOf(i: number): SubkeyId {
  return subkeyId(i % 29 === 0 ? `${i}${ownerTag(ALICE)}` : i)
}

const full = recordOf(
  Array.from({ length: ENTRIES }, (_, i) => [
    idOf(i),
    { expirationTime: 1 + (i % 3), value: Uint8Array.of(i % 2) }
  ])
)

const somePlaces = fc.uniqueArray(
  fc.tuple(fc.integer({ min: 0, max: ENTRIES + 40 }).map(idOf), entry),
  { minLength: 1, maxLength: 6, selector: ([id]) => id }
)

const someWrites = fc.array(
  fc
    .tuple(somePlaces, fc.option(entry, { freq: 12, nil: undefined }))
    .map(([places, plain]) => recordOf(places, plain)),
  { minLength: 1, maxLength: 40 }
)

/** A full dictionary after many writes. */
const written = someWrites.map((writes) =>
  writes.reduce((held, write) => join(held, write, LIMITS), full)
)

/** Makes a record without the subkeys that the plain entry erases. */
function recordOf(places: [SubkeyId, Entry][], plain?: Entry): DHTRecord {
  const subkeys = new Map(places.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return join({ subkeys }, { ...(plain && { plain }), subkeys: new Map() }, LIMITS)
}

/** The same record, its dictionary a Map. */
function simple(record: DHTRecord): DHTRecord {
  return { ...record, subkeys: new Map(record.subkeys) }
}

describe('a dictionary of many entries', () => {
  it('holds what the rules make of many writes (R2, R4, R5, R13, R16)', () => {
    fc.assert(
      fc.property(someWrites, (writes) => {
        const held = writes.reduce((before, write) => join(before, write, LIMITS), full)

        expect(writesOf(held)).toStrictEqual(writesOf(modelJoin([full, ...writes], ENTRIES)))
      }),
      LAW
    )
  })

  it('stays the same object exactly when a write adds nothing to it (R3)', () => {
    fc.assert(
      fc.property(written, someWrites, (held, [write = full]) => {
        const joined = join(held, write, LIMITS)
        const isSame = JSON.stringify(writesOf(joined)) === JSON.stringify(writesOf(held))

        expect(joined === held).toBe(isSame)
        expect(join(joined, write, LIMITS)).toBe(joined)
      }),
      LAW
    )
  })

  it('has the size, the expirations and the live entries of the same Map', () => {
    fc.assert(
      fc.property(written, moment, (held, now) => {
        expect(encodedSize(held)).toBe(encodeRecord(held).length)
        expect(encodeRecord(held)).toStrictEqual(encodeRecord(simple(held)))
        expect(firstExpiration(held)).toBe(firstExpiration(simple(held)))
        expect(lastExpiration(held)).toBe(lastExpiration(simple(held)))
        expect(writesOf(prune(held, now))).toStrictEqual(writesOf(prune(simple(held), now)))
      }),
      LAW
    )
  })

  it('reads like a Map', () => {
    fc.assert(
      fc.property(written, ({ subkeys }) => {
        const map = new Map(subkeys)
        const visited: [SubkeyId, Entry][] = []
        subkeys.forEach((each, id) => {
          visited.push([id, each])
        })

        expect(subkeys.size).toBe(map.size)
        expect([...subkeys.keys()]).toStrictEqual([...map.keys()])
        expect([...subkeys.values()]).toStrictEqual([...map.values()])
        expect(visited).toStrictEqual([...map])

        for (let i = 0; i <= ENTRIES; i++) {
          expect(subkeys.get(idOf(i))).toBe(map.get(idOf(i)))
          expect(subkeys.has(idOf(i))).toBe(map.has(idOf(i)))
        }
      }),
      LAW
    )
  })

  it('shares unchanged entries with the dictionary before a write', () => {
    const [write] = fc.sample(someWrites, { numRuns: 1, seed: 1 })[0] ?? []
    const before = join(full, write ?? full, LIMITS)
    const { subkeys } = join(before, recordOf([[idOf(7), { expirationTime: 9 }]]), LIMITS)

    expect(subkeys).toBeInstanceOf(LargeDictionary)
    expect(before.subkeys).toBeInstanceOf(LargeDictionary)
    expect(before.subkeys.get(idOf(7))?.expirationTime).not.toBe(9)
    expect(subkeys.get(idOf(7))?.expirationTime).toBe(9)
  })
})
