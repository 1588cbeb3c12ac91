import fc from 'fast-check'
import { compare } from 'uint8arrays/compare'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { InvalidKeyError, type Key, parseRecordKey, recordKey } from '../../src/index.ts'
import {
  DEFAULT_LIMITS,
  isRecordKey,
  NAMESPACE,
  parseSubkeyId,
  subkeyId
} from '../../src/replica.ts'
import { anyKey, LAW } from '../generators.ts'

const latin1 = (text: string) => fromString(text, 'latin1')

/** Keys that a careless library would take for one. */
const lookAlikes: Key[] = [
  0,
  0n,
  '',
  '0',
  false,
  null,
  new Uint8Array(0),
  Uint8Array.of(0),
  Uint8Array.of(48),
  [],
  [0],
  [[]],
  [[0]],
  ['0'],
  [null],
  'null',
  'false',
  '\0',
  1,
  1n,
  true,
  '1',
  1.5,
  '1.5',
  -1,
  -1n,
  2 ** 53,
  2n ** 53n,
  Number.POSITIVE_INFINITY,
  ['a', 'b'],
  'a,b',
  [['a'], 'b']
]

describe('recordKey', () => {
  it('tells apart keys that look alike (R11)', () => {
    const bytes = lookAlikes.map((key) => recordKey(key).toString())

    expect(new Set(bytes).size).toBe(lookAlikes.length)
  })

  it('treats −0 as 0, in arrays, too (R11)', () => {
    expect(recordKey(-0)).toStrictEqual(recordKey(0))
    expect(recordKey([1, [-0]])).toStrictEqual(recordKey([1, [0]]))
    expect(parseRecordKey(recordKey(-0))).toBe(0)
  })

  it('begins with the namespace, so that kad-dht knows whose it is (N1)', () => {
    expect(NAMESPACE).toBe('waggle')
    expect(recordKey('a')).toStrictEqual(latin1('/waggle/aa'))
  })

  it('comes back from parseRecordKey equal (R11)', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(parseRecordKey(recordKey(key))).toStrictEqual(withoutNegativeZero(key))
      }),
      LAW
    )
  })
})

describe('parseRecordKey', () => {
  it.each([
    ['nothing', ''],
    ['another namespace', '/ipns/aa'],
    ['a namespace that begins the same', '/waggled/aa'],
    ['the namespace without a slash', '/waggle'],
    ['no key', '/waggle/'],
    ['two keys', '/waggle/aaaa'],
    ['a truncated key', '/waggle/ba'],
    ['a key that is not canonical', '/waggle/\x18\x00'],
    ['a key with an object', '/waggle/\xa0'],
    ['the key −0', '/waggle/\xf9\x80\x00'],
    ['−0 in an array', '/waggle/\x81\xf9\x80\x00'],
    ['the key undefined', '/waggle/\xf7']
  ])('refuses %s (R10, R11)', (_, text) => {
    expect(() => parseRecordKey(latin1(text))).toThrow(InvalidKeyError)
  })

  it('keeps the cause of a malformed key (R10)', () => {
    expect(() => parseRecordKey(latin1('/waggle/\xf7'))).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ name: 'MalformedRecordError' }) })
    )
  })
})

describe('isRecordKey', () => {
  it('is true of the namespace alone (N1)', () => {
    expect(isRecordKey(recordKey(''))).toBe(true)
    expect(isRecordKey(latin1('/waggle/\xff'))).toBe(true)
    expect(isRecordKey(latin1('/pk/aa'))).toBe(false)
    expect(isRecordKey(latin1('/waggle'))).toBe(false)
  })
})

describe('subkeyId', () => {
  it('tells apart subkeys that look alike (R11)', () => {
    expect(new Set(lookAlikes.map((key) => subkeyId(key))).size).toBe(lookAlikes.length)
  })

  it('treats −0 as 0, in arrays, too (R11)', () => {
    expect(subkeyId(-0)).toBe(subkeyId(0))
    expect(subkeyId([[-0]])).toBe(subkeyId([[0]]))
  })

  it('comes back from parseSubkeyId equal (R11)', () => {
    fc.assert(
      fc.property(anyKey, (subkey) => {
        expect(parseSubkeyId(subkeyId(subkey))).toStrictEqual(withoutNegativeZero(subkey))
      }),
      LAW
    )
  })

  it('comes back from parseSubkeyId when it is long (R11, R12)', () => {
    const large = { ...DEFAULT_LIMITS, maxSubkeyBytes: 1_000_000 }

    for (const length of [1000, 1021, 1022, 4093, 4094, 300_000]) {
      const subkey = Uint8Array.from({ length }, (_, i) => i)

      expect(parseSubkeyId(subkeyId(subkey, large))).toStrictEqual(subkey)
    }
  })

  it('sorts as the bytes do (R10)', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const inBytes = compare(latin1(subkeyId(a)), latin1(subkeyId(b)))
        const asStrings = subkeyId(a) < subkeyId(b) ? -1 : Number(subkeyId(a) > subkeyId(b))

        expect(asStrings).toBe(inBytes)
        expect(`/waggle/${subkeyId(a)}`).toBe(stringOf(recordKey(a), 'latin1'))
      }),
      LAW
    )
  })
})

function withoutNegativeZero(key: Key): Key {
  if (Array.isArray(key)) {
    return key.map(withoutNegativeZero)
  }

  return key === 0 ? 0 : key
}
