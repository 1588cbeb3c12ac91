import { describe, expect, it } from 'vitest'
import {
  apply,
  checkRecord,
  DEFAULTS,
  type DHTRecord,
  EMPTY_RECORD,
  encodeRecord,
  InvalidKeyError,
  join,
  type Limits,
  parseRecordKey,
  plainRecord,
  RecordTooLargeError,
  recordKey,
  subkeyRecord,
  tombstoneRecord
} from '../../src/index.ts'
import { DEFAULT_LIMITS, encodedSize, encodeValue, subkeyId } from '../../src/replica.ts'

const now = 1_700_000_000
const key = recordKey('key')

/** Bytes of the heads of strings and byte strings of these sizes. */
const HEAD = { upTo255: 2, upTo65535: 3, beyond: 5 }

function check(record: DHTRecord, limits: Partial<Limits> = {}, under = key): DHTRecord {
  return checkRecord(under, encodeRecord(record), { now, limits: { ...DEFAULT_LIMITS, ...limits } })
}

describe('DEFAULT_LIMITS', () => {
  it('are the numbers of the rule (R12)', () => {
    expect(DEFAULT_LIMITS).toStrictEqual({
      maxKeyBytes: 1024,
      maxSubkeyBytes: 256,
      maxValueBytes: 262_144,
      maxRecordBytes: 1_048_576,
      maxSubkeys: 4096,
      maxTtl: 2_592_000
    })
  })

  it('are the exported defaults (R12)', () => {
    expect(DEFAULTS.limits).toBe(DEFAULT_LIMITS)
    expect(Object.isFrozen(DEFAULTS.limits)).toBe(true)
  })
})

describe('a key', () => {
  const longest = 'k'.repeat(DEFAULT_LIMITS.maxKeyBytes - HEAD.upTo65535)
  const tooLong = `${longest}k`
  const large = { ...DEFAULT_LIMITS, maxKeyBytes: DEFAULT_LIMITS.maxKeyBytes + 1 }

  it('takes as many bytes as the limit and no more (R12)', () => {
    expect(parseRecordKey(recordKey(longest))).toBe(longest)
    expect(() => recordKey(tooLong)).toThrow(InvalidKeyError)
    expect(() => recordKey(tooLong)).toThrow('1025 bytes encoded, at most 1024 are allowed')
  })

  it('is refused by a replica beyond it (R12)', () => {
    const bytes = recordKey(tooLong, large)

    expect(() => parseRecordKey(bytes)).toThrow(InvalidKeyError)
    expect(() => check(plainRecord(1, now + 1), {}, bytes)).toThrow(InvalidKeyError)
    expect(parseRecordKey(bytes, large)).toBe(tooLong)
    expect(check(plainRecord(1, now + 1), large, bytes)).toBeDefined()
  })

  it('is counted in bytes, not in characters (R12)', () => {
    const limits = { ...DEFAULT_LIMITS, maxKeyBytes: 5 }

    expect(recordKey('éé', limits)).toHaveLength('/waggle/'.length + 5)
    expect(() => recordKey('ééé', limits)).toThrow(InvalidKeyError)
  })
})

describe('a subkey', () => {
  const longest = 's'.repeat(DEFAULT_LIMITS.maxSubkeyBytes - HEAD.upTo255)
  const tooLong = `${longest}s`
  const large = { ...DEFAULT_LIMITS, maxSubkeyBytes: DEFAULT_LIMITS.maxSubkeyBytes + 1 }

  it('takes as many bytes as the limit and no more (R12)', () => {
    expect(subkeyId(longest)).toHaveLength(DEFAULT_LIMITS.maxSubkeyBytes)
    expect(() => subkeyId(tooLong)).toThrow('257 bytes encoded, at most 256 are allowed')

    for (const store of [
      () => subkeyId(tooLong),
      () => subkeyRecord(tooLong, 1, now),
      () => tombstoneRecord(now, { subkey: tooLong })
    ]) {
      expect(store).toThrow(InvalidKeyError)
    }
  })

  it('is refused by a replica beyond it (R12)', () => {
    expect(check(subkeyRecord(longest, 1, now + 1))).toBeDefined()
    expect(() => check(subkeyRecord(tooLong, 1, now + 1, large))).toThrow(RecordTooLargeError)
    expect(() => check(tombstoneRecord(now + 1, { subkey: tooLong, limits: large }))).toThrow(
      'a subkey takes 257 bytes, at most 256 are allowed'
    )
    expect(check(subkeyRecord(tooLong, 1, now + 1, large), large)).toBeDefined()
  })
})

describe('a value', () => {
  const largest = new Uint8Array(DEFAULT_LIMITS.maxValueBytes - HEAD.beyond)
  const tooLarge = new Uint8Array(largest.length + 1)
  const large = { ...DEFAULT_LIMITS, maxValueBytes: DEFAULT_LIMITS.maxValueBytes + 1 }

  it('takes as many bytes as the limit and no more (R12)', () => {
    expect(encodeValue(largest)).toHaveLength(DEFAULT_LIMITS.maxValueBytes)
    expect(() => encodeValue(tooLarge)).toThrow('262145 bytes encoded, at most 262144 are allowed')

    for (const store of [
      () => encodeValue(tooLarge),
      () => plainRecord(tooLarge, now),
      () => subkeyRecord('a', tooLarge, now)
    ]) {
      expect(store).toThrow(RecordTooLargeError)
    }
  })

  it('is refused by a replica beyond it, plain or under a subkey (R12)', () => {
    expect(check(plainRecord(largest, now + 1))).toBeDefined()
    expect(check(subkeyRecord('a', largest, now + 1))).toBeDefined()

    for (const record of [
      plainRecord(tooLarge, now + 1, large),
      subkeyRecord('a', tooLarge, now + 1, large)
    ]) {
      expect(() => check(record)).toThrow(RecordTooLargeError)
      expect(() => check(record)).toThrow('a value takes 262145 bytes, at most 262144 are allowed')
      expect(check(record, large)).toBeDefined()
    }
  })
})

describe('a record', () => {
  /** Four values of the largest kind but for what the last one leaves for the rest. */
  function recordOf(bytes: number): DHTRecord {
    const parts = ['a', 'b', 'c'].map((name) =>
      subkeyRecord(name, new Uint8Array(DEFAULT_LIMITS.maxValueBytes - HEAD.beyond), now + 1)
    )
    const last = (length: number) =>
      [...parts, subkeyRecord('d', new Uint8Array(length), now + 1)].reduce((a, b) => join(a, b))
    const spare = 200_000
    return last(spare + bytes - encodedSize(last(spare)))
  }

  it('takes as many bytes as the limit and no more (R12)', () => {
    const largest = recordOf(DEFAULT_LIMITS.maxRecordBytes)
    const tooLarge = recordOf(DEFAULT_LIMITS.maxRecordBytes + 1)

    expect(encodeRecord(largest)).toHaveLength(DEFAULT_LIMITS.maxRecordBytes)
    expect(check(largest).subkeys.size).toBe(4)
    expect(() => check(tooLarge)).toThrow(RecordTooLargeError)
    expect(() => check(tooLarge)).toThrow('the record takes 1048577 bytes, at most 1048576')
  })

  it('is full for a write beyond the limit (R12, R13)', () => {
    expect(apply(EMPTY_RECORD, recordOf(DEFAULT_LIMITS.maxRecordBytes), { now })).toMatchObject({
      isAccepted: true
    })
    expect(apply(EMPTY_RECORD, recordOf(DEFAULT_LIMITS.maxRecordBytes + 1), { now })).toMatchObject(
      {
        reason: 'full'
      }
    )
  })

  it('has as many subkeys as the limit and no more (R12, R13)', () => {
    const full = dictionaryOf(DEFAULT_LIMITS.maxSubkeys)
    const crowded = dictionaryOf(DEFAULT_LIMITS.maxSubkeys + 1)

    expect(check(full).subkeys.size).toBe(DEFAULT_LIMITS.maxSubkeys)
    expect(() => check(crowded)).toThrow(RecordTooLargeError)
    expect(() => check(crowded)).toThrow('the record has 4097 subkeys, at most 4096 are allowed')
    expect(join(full, crowded).subkeys.size).toBe(DEFAULT_LIMITS.maxSubkeys)
    expect(join(EMPTY_RECORD, crowded).subkeys.has(subkeyId(0))).toBe(false)
    expect(check(crowded, { maxSubkeys: DEFAULT_LIMITS.maxSubkeys + 1 })).toBeDefined()
  })

  function dictionaryOf(size: number): DHTRecord {
    const subkeys = Array.from(
      { length: size },
      (_, i) => [subkeyId(i), { expirationTime: now + 1 + i, value: encodeValue(i) }] as const
    )
    return { subkeys: new Map(subkeys.sort(([a], [b]) => (a < b ? -1 : 1))) }
  }
})
