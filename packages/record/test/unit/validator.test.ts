import fc from 'fast-check'
import { fromString } from 'uint8arrays/from-string'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  checkRecord,
  type DHTRecord,
  EMPTY_RECORD,
  encodeRecord,
  InvalidKeyError,
  isEmpty,
  join,
  MalformedRecordError,
  plainRecord,
  RecordTooLargeError,
  recordKey,
  recordValidator,
  subkeyRecord,
  tombstoneRecord,
  ValidationError
} from '../../src/index.ts'
import { DEFAULT_LIMITS, MAX_CLOCK_SKEW, prune } from '../../src/replica.ts'
import { LAW, moment, unownedRecord } from '../generators.ts'
import { writesOf } from '../model.ts'

const now = 1_700_000_000
const key = recordKey('party')

function check(record: DHTRecord, time = now): DHTRecord {
  return checkRecord(key, encodeRecord(record), { now: time })
}

afterEach(() => {
  vi.useRealTimers()
})

describe('checkRecord', () => {
  it('gives what is live of a record (R1)', () => {
    fc.assert(
      fc.property(unownedRecord, moment, (some, now) => {
        const live = prune(some, now)

        if (isEmpty(live)) {
          expect(() => check(some, now)).toThrow(ValidationError)
        } else {
          expect(writesOf(check(some, now))).toStrictEqual(writesOf(live))
        }
      }),
      LAW
    )
  })

  it('refuses what expires at this very moment (R1)', () => {
    const held = plainRecord('x', now)

    expect(check(held, now - 0.001)).toStrictEqual(held)
    expect(() => check(held)).toThrow(ValidationError)
    expect(() => check(held)).toThrow(/has expired/)
  })

  it('accepts a deletion (R9)', () => {
    expect(check(tombstoneRecord(now + 1))).toStrictEqual(tombstoneRecord(now + 1))
    expect(check(tombstoneRecord(now + 1, { subkey: 'a' })).subkeys.size).toBe(1)
  })

  it('refuses an empty record (R1)', () => {
    expect(() => check(EMPTY_RECORD)).toThrow(ValidationError)
  })

  it.each([
    ['a plain entry', (time: number) => plainRecord('x', time)],
    ['a subkey', (time: number) => subkeyRecord('a', 'x', time)],
    ['a deletion', (time: number) => tombstoneRecord(time)],
    [
      'one subkey of several',
      (time: number) => join(subkeyRecord('a', 'x', now + 1), subkeyRecord('b', 'x', time))
    ]
  ])('accepts %s up to MAX_CLOCK_SKEW beyond the limit, and nothing later (R14)', (_, expiring) => {
    const latest = now + DEFAULT_LIMITS.maxTtl + MAX_CLOCK_SKEW

    expect(MAX_CLOCK_SKEW).toBe(3)
    expect(writesOf(check(expiring(latest)))).toStrictEqual(writesOf(expiring(latest)))
    expect(() => check(expiring(latest + 0.001))).toThrow(ValidationError)
    expect(() => check(expiring(latest + 0.001))).toThrow(/more than 2592000 seconds ahead/)
  })

  it('applies the time to live of the caller (R12, R14)', () => {
    const options = { now, limits: { ...DEFAULT_LIMITS, maxTtl: 10 } }
    const bytes = (time: number) => encodeRecord(plainRecord('x', time))

    expect(checkRecord(key, bytes(now + 13), options)).toBeDefined()
    expect(() => checkRecord(key, bytes(now + 13.5), options)).toThrow(ValidationError)
  })

  it('refuses milliseconds (R14)', () => {
    expect(() => check(plainRecord('x', (now + 600) * 1000))).toThrow(ValidationError)
  })

  it('refuses a key outside the namespace (R11)', () => {
    const bytes = encodeRecord(plainRecord('x', now + 1))

    for (const name of ['', '/pk/aa', '/waggle/', '/waggle/\xa0']) {
      expect(() => checkRecord(fromString(name, 'latin1'), bytes, { now })).toThrow(InvalidKeyError)
    }
  })

  it('refuses bytes that are not a record (R10)', () => {
    const bytes = encodeRecord(plainRecord('x', now + 1))

    for (const malformed of [new Uint8Array(0), bytes.subarray(1), Uint8Array.of(...bytes, 0)]) {
      expect(() => checkRecord(key, malformed, { now })).toThrow(MalformedRecordError)
    }
  })

  it('counts bytes and subkeys before it reads what they say (R12)', () => {
    const endless = new Uint8Array(DEFAULT_LIMITS.maxRecordBytes + 1).fill(0x81)
    const crowded = Uint8Array.of(1, 0xa1, 1, 0xb9, 0x10, 0x01)

    expect(() => checkRecord(key, endless, { now })).toThrow(RecordTooLargeError)
    expect(() => checkRecord(key, crowded, { now })).toThrow(/has 4097 subkeys, at most 4096/)
  })

  it('reads the clock when the caller does not say the time (R1)', () => {
    vi.useFakeTimers({ now: 5000 })

    expect(checkRecord(key, encodeRecord(plainRecord('x', 5.001)))).toBeDefined()
    expect(() => checkRecord(key, encodeRecord(plainRecord('x', 5)))).toThrow(ValidationError)
  })
})

describe('recordValidator', () => {
  const bytes = encodeRecord(plainRecord('x', 1000))

  it('resolves for a valid record, and rejects it once it has expired (R1, N1)', async () => {
    vi.useFakeTimers({ now: 999_999 })
    await expect(recordValidator(key, bytes)).resolves.toBeUndefined()

    vi.setSystemTime(1_000_000)
    await expect(recordValidator(key, bytes)).rejects.toThrow(ValidationError)
  })

  it('rejects as checkRecord throws, never before it returns (N1, R10, R12, R14)', async () => {
    vi.useFakeTimers({ now: 0 })
    const tooFar = encodeRecord(plainRecord('x', DEFAULT_LIMITS.maxTtl + MAX_CLOCK_SKEW + 1))
    const tooLarge = new Uint8Array(DEFAULT_LIMITS.maxRecordBytes + 1)

    await expect(recordValidator(recordKey('a'), tooFar)).rejects.toThrow(ValidationError)
    await expect(recordValidator(key, tooLarge)).rejects.toThrow(RecordTooLargeError)
    await expect(recordValidator(key, new Uint8Array(0))).rejects.toThrow(MalformedRecordError)
    await expect(recordValidator(new Uint8Array(0), bytes)).rejects.toThrow(InvalidKeyError)
  })
})
