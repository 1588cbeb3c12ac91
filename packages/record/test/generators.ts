import fc from 'fast-check'
import type { DHTRecord, Entry, Key, Limits, SubkeyId, Value } from '../src/index.ts'
import { DEFAULT_LIMITS, encodeValue, subkeyId } from '../src/replica.ts'

const { WAGGLE_LONG, WAGGLE_CASES } = process.env

/**
 * Cases that each law is tested with: more in the long suite, which sets WAGGLE_LONG, and fewer in a browser. A
 * failure prints the seed that replays it.
 */
export const CASES: number = Number(WAGGLE_CASES ?? (WAGGLE_LONG === '1' ? 10_000 : 2_000))

/** The options of `fc.assert` for a law. */
export const LAW = { numRuns: CASES }

/*
 * Narrow: few moments, few values, few subkeys, so that most pairs of entries tie in something.
 */

/** Two peers, whose private keys are 32 times the byte 1 and 32 times the byte 2. */
export const ALICE = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
export const BOB = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'

/** Four subkeys that a careless library would take for one, in the order of their bytes. */
export const SUBKEYS: readonly SubkeyId[] = [0, false, '', '0'].map((key) => subkeyId(key)).sort()

/** The same subkeys, and two that are owned. */
export const PLACES: readonly SubkeyId[] = [
  ...SUBKEYS,
  subkeyId(`[owner:${ALICE}]`),
  subkeyId(`the place of [owner:${BOB}]`)
].sort()

/** Limits that allow two subkeys in a dictionary. */
export const TIGHT: Limits = { ...DEFAULT_LIMITS, maxSubkeys: 2 }

export const moment: fc.Arbitrary<number> = fc.integer({ min: 0, max: 3 })

const fewBytes = fc.constantFrom<Value[]>(0, 1, 'a').map((value) => encodeValue(value))
const fewSignatures = fc.constantFrom(1, 2).map((byte) => new Uint8Array(64).fill(byte))

export const entry: fc.Arbitrary<Entry> = fc
  .tuple(moment, rarelyAbsent(fewBytes), usuallyAbsent(fewSignatures))
  .map(([expirationTime, value, signature]) => entryOf(expirationTime, value, signature))

export const record: fc.Arbitrary<DHTRecord> = recordsOf(PLACES, PLACES.length)

/** Records without owned places, and so without signatures. */
export const unownedRecord: fc.Arbitrary<DHTRecord> = recordsOf(SUBKEYS, SUBKEYS.length).map(
  ({ plain, subkeys }) =>
    recordOf(
      plain && unsigned(plain),
      Array.from(subkeys, ([id, entry]) => [id, unsigned(entry)])
    )
)

/** Records that keep within {@link TIGHT}. */
export const tightRecord: fc.Arbitrary<DHTRecord> = recordsOf(PLACES, TIGHT.maxSubkeys)

/** One entry and where it goes: under a subkey, or the key itself. */
export interface Write {
  readonly place: SubkeyId | undefined
  readonly entry: Entry
}

export const write: fc.Arbitrary<Write> = fc.record({
  place: fc.constantFrom(undefined, ...PLACES),
  entry
})

/** The record that a client sends to replicas for a write. */
export function writeRecord({ place, entry }: Write): DHTRecord {
  return place === undefined
    ? { plain: entry, subkeys: new Map() }
    : { subkeys: new Map([[place, entry]]) }
}

/*
 * Wide: whatever can be stored, and records of it.
 */

export const anyNumber: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.float({ noNaN: true }),
  fc.constantFrom(-0, 2 ** 53, -(2 ** 53), 2 ** 63, 1e300, Number.MIN_VALUE, 1 / 3, 1.5 * 2 ** -23)
)

export const anyBigInt: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: -300n, max: 300n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n, 2n ** 53n)
)

export const anyString: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ maxLength: 5 }).map((text) => `\ufeff${text}`),
  fc.integer({ min: 20, max: 300 }).map((length) => 'é'.repeat(length)),
  fc.constantFrom('__proto__', 'constructor', '😀', '\0', '0')
)

const anyScalar = fc.oneof(
  fc.constantFrom(null, false, true),
  anyNumber,
  anyBigInt,
  anyString,
  fc.uint8Array({ maxLength: 30 })
)

export const { anyValue } = fc.letrec<{ anyValue: Value }>((tie) => ({
  anyValue: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: anyScalar },
    { weight: 1, arbitrary: fc.array(tie('anyValue'), { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.dictionary(anyString, tie('anyValue'), { maxKeys: 4 }) }
  )
}))

export const { anyKey } = fc.letrec<{ anyKey: Key }>((tie) => ({
  anyKey: fc.oneof(
    { depthSize: 'xsmall', withCrossShrink: true },
    { weight: 4, arbitrary: anyScalar.filter((scalar) => encodeValue(scalar).length < 40) },
    { weight: 1, arbitrary: fc.array(tie('anyKey'), { maxLength: 3 }) }
  )
}))

const anyMoment = fc.oneof(
  moment,
  fc.maxSafeNat(),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: 0, max: 2 ** 20 }).map((n) => 1_700_000_000 + n / 2 ** 10)
)

const anyEntry = fc
  .tuple(
    anyMoment,
    rarelyAbsent(anyValue.map((value) => encodeValue(value))),
    usuallyAbsent(fc.uint8Array({ minLength: 64, maxLength: 64 }))
  )
  .map(([expirationTime, value, signature]) => entryOf(expirationTime, value, signature))

export const anyRecord: fc.Arbitrary<DHTRecord> = fc
  .tuple(
    usuallyAbsent(anyEntry),
    fc.array(fc.tuple(anyKey, anyEntry), { maxLength: 5 }).map((pairs) => {
      const subkeys = new Map(pairs.map(([key, entry]) => [subkeyId(key), entry]))
      return [...subkeys].sort(([a], [b]) => (a < b ? -1 : 1))
    })
  )
  .map(([plain, subkeys]) => recordOf(plain, subkeys))

function recordsOf(places: readonly SubkeyId[], maxSubkeys: number): fc.Arbitrary<DHTRecord> {
  return fc
    .tuple(
      fc.option(entry, { nil: undefined, freq: 3 }),
      fc.subarray([...places], { maxLength: maxSubkeys }),
      fc.tuple(entry, entry, entry, entry, entry, entry)
    )
    .map(([plain, places, entries]) =>
      recordOf(
        plain,
        places.map((place, i) => [place, entries[i] as Entry])
      )
    )
}

/** Makes a record without the subkeys that R4 erases and R16 does not spare. Takes subkeys in order. */
function recordOf(plain: Entry | undefined, subkeys: (readonly [SubkeyId, Entry])[]): DHTRecord {
  const erasedUntil = plain?.expirationTime ?? Number.NEGATIVE_INFINITY
  const living = new Map(
    subkeys.filter(([id, entry]) => id.includes('[owner:') || entry.expirationTime > erasedUntil)
  )
  return plain === undefined ? { subkeys: living } : { plain, subkeys: living }
}

function unsigned({ expirationTime, value }: Entry): Entry {
  return entryOf(expirationTime, value, undefined)
}

function entryOf(
  expirationTime: number,
  value: Uint8Array | undefined,
  signature: Uint8Array | undefined
): Entry {
  return {
    expirationTime,
    ...(value === undefined ? {} : { value }),
    ...(signature === undefined ? {} : { signature })
  }
}

function rarelyAbsent<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: 4 })
}

function usuallyAbsent<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
}
