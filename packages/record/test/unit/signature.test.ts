import { toString as stringOf } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import {
  apply,
  checkRecord,
  type DHTRecord,
  EMPTY_RECORD,
  encodeRecord,
  getDHTTime,
  join,
  type Key,
  ownerTag,
  plainRecord,
  recordKey,
  recordValidator,
  signRecord,
  subkeyRecord,
  tombstoneRecord,
  ValidationError,
  type Value,
  view
} from '../../src/index.ts'
import { signedBytes, signedEntries, subkeyId } from '../../src/replica.ts'
import { ALICE, BOB } from '../generators.ts'
import { bytesOf } from '../notation.ts'
import { ALICES_KEY, BOBS_KEY, privateKeyOf, tampered } from '../owners.ts'
import { readFixtures } from '../read-fixtures.ts'

const now = 1_700_000_000
const party = recordKey('party')
const alices = ownerTag(ALICE)
const bobs = ownerTag(BOB)

function check(key: Uint8Array, record: DHTRecord): DHTRecord {
  return checkRecord(key, encodeRecord(record), { now })
}

/** Counts the turns of the event loop until a promise settles. */
async function turnsUntil(settled: Promise<unknown>): Promise<number> {
  let turns = 0
  const again = (): void => {
    turns++
    next = setImmediate(again)
  }
  let next = setImmediate(again)

  try {
    await settled
  } finally {
    clearImmediate(next)
  }

  return turns
}

/** Makes a dictionary of this many subkeys that its owner has signed. */
async function manySigned(count: number): Promise<DHTRecord> {
  const expirationTime = getDHTTime() + 600
  const ids = Array.from({ length: count }, (_, i) => subkeyId(`${alices}${i}`)).sort()
  const subkeys = new Map(ids.map((id) => [id, { expirationTime, value: Uint8Array.of(1) }]))
  return signRecord(party, { subkeys }, ALICES_KEY)
}

describe('recordValidator of many signatures', () => {
  it.skipIf(!('setImmediate' in globalThis))(
    'gives other work its turns, also while it checks several records (R15, N1, N9f)',
    async () => {
      const bytes = encodeRecord(await manySigned(300))

      expect(await turnsUntil(recordValidator(party, bytes))).toBeGreaterThan(2)
      const several = [bytes, bytes, bytes].map((one) => recordValidator(party, one))
      expect(await turnsUntil(Promise.all(several))).toBeGreaterThan(6)
    }
  )

  it('rejects for the last one, too (R15, N1)', async () => {
    const { subkeys } = await manySigned(300)
    const last = [...subkeys.keys()].at(-1) as string
    const forged = new Map(subkeys).set(last, {
      ...subkeys.get(last),
      expirationTime: getDHTTime() + 700
    })

    await expect(recordValidator(party, encodeRecord({ subkeys: forged }))).rejects.toThrow(
      ValidationError
    )
  })
})

describe('the frozen signatures', () => {
  const fixtures: {
    name: string
    seed: number
    key: Key
    subkey?: Key
    expirationTime: number
    value?: Value
    signed: string
    signature: string
    network?: string
  }[] = readFixtures('signatures.json')

  it.each(fixtures)(
    'equal what signRecord gives for $name, and are accepted (R15)',
    async (fixture) => {
      const { seed, subkey, expirationTime, value, network } = fixture
      const key = recordKey(fixture.key)
      const unsigned = recordOf({ subkey, expirationTime, value })
      const id = subkey === undefined ? undefined : subkeyId(subkey)
      const [entry = { expirationTime: 0 }] = entriesOf(unsigned)
      const signed = await signRecord(key, unsigned, privateKeyOf(seed), { network })

      expect(stringOf(signedBytes(key, id, entry, network), 'hex')).toBe(fixture.signed)
      expect(entriesOf(signed)[0]?.signature).toStrictEqual(bytesOf(fixture.signature))
      expect(
        checkRecord(key, encodeRecord(signed), { now: expirationTime - 0.25, network })
      ).toStrictEqual(signed)
    }
  )
})

describe('an owned place', () => {
  const places: [string, Uint8Array, DHTRecord][] = [
    ['the key', recordKey(alices), plainRecord('x', now + 9)],
    ['the key, with a subkey', recordKey(alices), subkeyRecord('mood', 'x', now + 9)],
    ['the subkey', party, subkeyRecord(alices, 'x', now + 9)],
    ['the key, of which a tombstone is stored', recordKey(alices), tombstoneRecord(now + 9)],
    [
      'the subkey, of which a tombstone is stored',
      party,
      tombstoneRecord(now + 9, { subkey: alices })
    ]
  ]

  it.each(places)('accepts an entry that its owner has signed: %s (R15)', async (_, key, write) => {
    const signed = await signRecord(key, write, ALICES_KEY)

    expect(check(key, signed)).toStrictEqual(signed)
  })

  it('is checked by the validator of plain kad-dht peers, too (R15, N1)', async () => {
    const write = subkeyRecord(alices, 'x', getDHTTime() + 9)
    const signed = await signRecord(party, write, ALICES_KEY)

    await expect(recordValidator(party, encodeRecord(signed))).resolves.toBeUndefined()
    await expect(recordValidator(party, encodeRecord(write))).rejects.toThrow(ValidationError)
  })

  it.each(places)('refuses an unsigned entry: %s (R15)', (_, key, write) => {
    expect(() => check(key, write)).toThrow(ValidationError)
    expect(() => check(key, write)).toThrow(`belongs to ${ALICE}, but the entry is not signed`)
  })

  it.each(places)("refuses another peer's signature: %s (R15)", async (_, key, write) => {
    await expect(signRecord(key, write, BOBS_KEY)).rejects.toThrow(ValidationError)

    const forged = forgedBy(BOBS_KEY, key, write)
    expect(() => check(key, forged)).toThrow(`not that of ${ALICE}`)
  })

  it.each(places)('refuses a signature for another expiration: %s (R15)', async (_, key, write) => {
    const signed = await signRecord(key, write, ALICES_KEY)
    const prolonged = tampered(signed, (entry) => ({ ...entry, expirationTime: now + 10 }))

    expect(() => check(key, prolonged)).toThrow(ValidationError)
  })

  it('refuses a signature for another value, and for a value where one was deleted (R15)', async () => {
    const signed = await signRecord(party, subkeyRecord(alices, 'x', now + 9), ALICES_KEY)
    const { value } = entriesOf(subkeyRecord(alices, 'y', now + 9))[0] ?? {}
    const changed = tampered(signed, (entry) => ({ ...entry, ...(value && { value }) }))
    const deleted = tampered(
      signed,
      ({ value: _, ...entry }: { value?: unknown; expirationTime: number }) => entry as never
    )

    expect(() => check(party, changed)).toThrow(ValidationError)
    expect(() => check(party, deleted)).toThrow(ValidationError)
  })

  it('refuses a signature from another key, another subkey, or without one (R15)', async () => {
    const write = subkeyRecord(alices, 'x', now + 9)
    const elsewhere = await signRecord(recordKey('other'), write, ALICES_KEY)
    expect(() => check(party, elsewhere)).toThrow(ValidationError)

    const key = recordKey(alices)
    const friends = await signRecord(key, subkeyRecord('friends', 'x', now + 9), ALICES_KEY)
    const [entry] = entriesOf(friends)
    const moved = { subkeys: new Map(entry && [[subkeyId('enemies'), entry]]) }
    const plain = { ...(entry && { plain: entry }), subkeys: new Map() }
    expect(() => check(key, moved)).toThrow(ValidationError)
    expect(() => check(key, plain)).toThrow(ValidationError)
  })

  it('refuses a dictionary in which one of many subkeys is forged (R15)', async () => {
    const alice = await signRecord(party, subkeyRecord(alices, 'x', now + 9), ALICES_KEY)
    const bob = await signRecord(party, subkeyRecord(bobs, 'x', now + 9), BOBS_KEY)
    const all = [alice, bob, subkeyRecord('carol', 'x', now + 9)].reduce((a, b) => join(a, b))
    const forged = tampered(all, (entry, id) =>
      id === subkeyId(bobs) ? { ...entry, expirationTime: now + 10 } : entry
    )

    expect(check(party, all)).toStrictEqual(all)
    expect(() => check(party, forged)).toThrow(ValidationError)
  })

  it('is not verified if it has expired and is left out (R1, R15)', async () => {
    const old = subkeyRecord(alices, 'x', now)
    const unsigned = join(old, subkeyRecord('carol', 'x', now + 9))

    expect([...check(party, unsigned).subkeys.keys()]).toEqual([subkeyId('carol')])
  })
})

describe('a place without an owner', () => {
  it.each([
    ['the key', plainRecord('x', now + 9)],
    ['a subkey', subkeyRecord('carol', 'x', now + 9)],
    ['one subkey of several', join(subkeyRecord('carol', 'x', now + 9), plainRecord('x', now + 8))]
  ])('refuses a signature, a second form of the same entry: %s (R15)', (_, write) => {
    const signature = new Uint8Array(64)
    const [id] = write.subkeys.keys()
    const stray = tampered(write, (entry, place) =>
      place === id ? { ...entry, signature } : entry
    )

    expect(check(party, write)).toStrictEqual(write)
    expect(() => check(party, stray)).toThrow(ValidationError)
    expect(() => check(party, stray)).toThrow(/has no owner/)
  })

  it('is left unsigned (R15)', async () => {
    const write = plainRecord('x', now + 9)

    expect(await signRecord(party, write, ALICES_KEY)).toStrictEqual(write)
    expect(signedEntries(party, write)).toHaveLength(0)
  })
})

describe('an owned subkey', () => {
  const signed = (record: DHTRecord) => signRecord(party, record, ALICES_KEY)

  it('outlives any plain write of strangers, which is refused (R16, R6)', async () => {
    const held = await signed(subkeyRecord(alices, 'x', now + 9))
    const stranger = check(party, plainRecord('mine', now + 1000))

    expect(apply(held, stranger, { now })).toStrictEqual({
      isAccepted: false,
      record: held,
      reason: 'stale'
    })
    expect(apply(held, tombstoneRecord(now + 1000), { now }).isAccepted).toBe(false)
    expect(view(join(held, stranger), now)).toStrictEqual(view(held, now))
  })

  it("is deleted by its owner's tombstone, and then the plain value shows (R16, R9)", async () => {
    const held = await signed(subkeyRecord(alices, 'x', now + 9))
    const deletion = check(party, await signed(tombstoneRecord(now + 10, { subkey: alices })))
    const { isAccepted, record } = apply(held, deletion, { now })

    expect(isAccepted).toBe(true)
    expect(view(record, now)).toBeUndefined()
    expect(view(apply(record, plainRecord('free', now + 5), { now }).record, now)?.value).toBe(
      'free'
    )
  })

  it('is not brought back by replaying what its owner signed before (R2, R15)', async () => {
    const first = await signed(subkeyRecord(alices, 'first', now + 9))
    const second = await signed(subkeyRecord(alices, 'second', now + 10))
    const deleted = await signed(tombstoneRecord(now + 11, { subkey: alices }))
    const replayed = check(party, first)

    const newer = apply(first, second, { now }).record
    expect(apply(newer, replayed, { now })).toMatchObject({ isAccepted: false, record: newer })

    const gone = apply(newer, deleted, { now }).record
    expect(apply(gone, replayed, { now })).toMatchObject({ isAccepted: false, record: gone })
    expect(apply(gone, second, { now })).toMatchObject({ isAccepted: false, record: gone })
    // Once the tombstone has expired, so has everything that it deleted.
    expect(apply(EMPTY_RECORD, second, { now: now + 11 })).toMatchObject({ reason: 'expired' })
  })
})

function recordOf(write: {
  subkey: Key | undefined
  expirationTime: number
  value: Value | undefined
}): DHTRecord {
  const { subkey, expirationTime, value } = write

  if (value === undefined) {
    return tombstoneRecord(expirationTime, { subkey })
  }

  return subkey === undefined
    ? plainRecord(value, expirationTime)
    : subkeyRecord(subkey, value, expirationTime)
}

function entriesOf({ plain, subkeys }: DHTRecord) {
  return [...(plain ? [plain] : []), ...subkeys.values()]
}

/** Signs with a key that `signRecord` refuses. */
function forgedBy(signer: typeof BOBS_KEY, key: Uint8Array, write: DHTRecord): DHTRecord {
  return tampered(write, (entry, id) => ({
    ...entry,
    signature: signer.sign(signedBytes(key, id, entry)) as Uint8Array
  }))
}
