import fc from 'fast-check'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import {
  decodeRecord,
  EMPTY_RECORD,
  encodeRecord,
  join,
  MalformedRecordError,
  plainRecord,
  RecordTooLargeError,
  subkeyRecord,
  tombstoneRecord,
  type Value
} from '../../src/index.ts'
import { RECORD_VERSION } from '../../src/record.ts'
import { DEFAULT_LIMITS, decodeValue, encodedSize, encodeValue } from '../../src/replica.ts'
import { anyNumber, anyRecord, LAW, record } from '../generators.ts'
import { writesOf } from '../model.ts'

const hexOf = (bytes: Uint8Array) => stringOf(bytes, 'base16')

describe('encodeRecord and decodeRecord', () => {
  it('give back any record as it was (R10)', () => {
    fc.assert(
      fc.property(anyRecord, (some) => {
        const read = decodeRecord(encodeRecord(some))

        expect(writesOf(read)).toStrictEqual(writesOf(some))
        expect('plain' in read).toBe('plain' in some)
      }),
      LAW
    )
  })

  it('give back the bytes of any record as they were (R10)', () => {
    fc.assert(
      fc.property(anyRecord, (some) => {
        const bytes = encodeRecord(some)

        expect(hexOf(encodeRecord(decodeRecord(bytes)))).toBe(hexOf(bytes))
      }),
      LAW
    )
  })

  it('give equal records equal bytes, and different ones different bytes (R10)', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const areEqual = JSON.stringify(writesOf(a)) === JSON.stringify(writesOf(b))

        expect(hexOf(encodeRecord(a)) === hexOf(encodeRecord(b))).toBe(areEqual)
        expect(hexOf(encodeRecord(structuredClone(a)))).toBe(hexOf(encodeRecord(a)))
      }),
      LAW
    )
  })

  it('give equal bytes to subkeys in whatever order they were written (R10)', () => {
    const names = ['b', 10, 'aa', false, 'a', 2n, [0], null]
    const records = names.map((name) => subkeyRecord(name, 'x', 5))
    const forth = records.reduce((a, b) => join(a, b))
    const back = records.reduceRight((a, b) => join(a, b))

    expect(hexOf(encodeRecord(back))).toBe(hexOf(encodeRecord(forth)))
    expect(decodeRecord(encodeRecord(back)).subkeys.size).toBe(names.length)
  })

  it('carry a signature as it is (R10, R15)', () => {
    const signature = Uint8Array.from({ length: 64 }, (_, i) => 255 - i)
    const { plain } = plainRecord('x', 5)
    const signed = { ...plainRecord('x', 5), plain: { expirationTime: 5, ...plain, signature } }

    expect(decodeRecord(encodeRecord(signed)).plain?.signature).toStrictEqual(signature)
  })
})

describe('encodeRecord', () => {
  it('begins with the version (R10)', () => {
    expect(RECORD_VERSION).toBe(1)
    expect(encodeRecord(EMPTY_RECORD)).toStrictEqual(Uint8Array.of(1, 0xa0))
    expect(encodeRecord(plainRecord('x', 5))[0]).toBe(1)
  })

  it('tells null from a deletion (R9, R10)', () => {
    expect(hexOf(encodeRecord(plainRecord(null, 5)))).toBe('01a100a2000501f6')
    expect(hexOf(encodeRecord(tombstoneRecord(5)))).toBe('01a100a10005')
  })
})

describe('encodedSize', () => {
  it('is the length of the bytes (R10, R12)', () => {
    fc.assert(
      fc.property(anyRecord, (some) => {
        expect(encodedSize(some)).toBe(encodeRecord(some).length)
      }),
      LAW
    )
  })

  it.each([0, 23, 24, 255, 256, 65_535, 65_536, 70_000])(
    'counts the head of %i subkeys (R10, R12)',
    (size) => {
      const pairs = Array.from({ length: size }, (_, i) => i)
        .map((i) => [String.fromCharCode(0x19, i >> 8, i & 255), { expirationTime: i }] as const)
        .slice(0, size)
      const dictionary = { subkeys: new Map(pairs) }

      expect(encodedSize(dictionary)).toBe(encodeRecord(dictionary).length)
    }
  )
})

describe('decodeRecord', () => {
  it.skipIf(!('Buffer' in globalThis))(
    'reads the same from a Buffer, and gives plain bytes (R10)',
    () => {
      fc.assert(
        fc.property(anyRecord, (some) => {
          const read = decodeRecord(Buffer.from(encodeRecord(some)))

          expect(writesOf(read)).toStrictEqual(writesOf(some))
        }),
        LAW
      )
    }
  )

  it('reads the same from the middle of a larger buffer (R10)', () => {
    const bytes = encodeRecord(plainRecord(['a', 0.1, Uint8Array.of(1)], 0.3))
    const larger = Uint8Array.of(7, 7, 7, ...bytes, 7, 7).subarray(3, 3 + bytes.length)
    const read = decodeRecord(larger)

    expect(decodeValue(read.plain?.value as Uint8Array)).toStrictEqual(['a', 0.1, Uint8Array.of(1)])
    expect(read.plain?.expirationTime).toBe(0.3)
  })

  it('reads each number from its shortest encoding and no other (R10)', () => {
    fc.assert(
      fc.property(anyNumber, (number) => {
        const canonical = hexOf(encodeValue(number))
        const readable = encodingsOf(number).filter((hex) => isReadable(`01a100a2000101${hex}`))

        expect(readable).toEqual([canonical])
      }),
      LAW
    )
  })

  it('reads each expiration from its shortest encoding and no other (R10)', () => {
    fc.assert(
      fc.property(anyNumber, (number) => {
        fc.pre(Number.isFinite(number) && number >= 0 && !Object.is(number, -0))
        const readable = encodingsOf(number).filter((hex) => isReadable(`01a100a100${hex}`))

        expect(readable).toEqual([hexOf(encodeValue(number))])
      }),
      LAW
    )
  })

  it('reads no more subkeys than it is told to (R12)', () => {
    const bytes = encodeRecord(join(subkeyRecord('a', 1, 5), subkeyRecord('b', 1, 5)))
    const manyMore = Uint8Array.of(1, 0xa1, 1, 0xba, 255, 255, 255, 255)

    expect(decodeRecord(bytes, { maxSubkeys: 2 }).subkeys.size).toBe(2)
    expect(() => decodeRecord(bytes, { maxSubkeys: 1 })).toThrow(RecordTooLargeError)
    expect(() => decodeRecord(manyMore, { maxSubkeys: DEFAULT_LIMITS.maxSubkeys })).toThrow(
      'the record has 4294967295 subkeys, at most 4096 are allowed'
    )
    expect(() => decodeRecord(manyMore)).toThrow(MalformedRecordError)
  })

  it('gives values that can be decoded (R10, R11)', () => {
    fc.assert(
      fc.property(anyRecord, (some) => {
        for (const { entry } of writesOf(decodeRecord(encodeRecord(some)))) {
          const value: Value = entry.value === undefined ? null : decodeValue(entry.value)

          expect(
            entry.value === undefined || hexOf(encodeValue(value)) === hexOf(entry.value)
          ).toBe(true)
        }
      }),
      LAW
    )
  })
})

function isReadable(hex: string): boolean {
  try {
    decodeRecord(fromString(hex, 'base16'))
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedRecordError)
    return false
  }
}

/** Every way in which CBOR could write the number, as integers and floats of each width. */
function encodingsOf(number: number): string[] {
  const isInteger =
    Number.isInteger(number) && Math.abs(number) <= 2 ** 63 && !Object.is(number, -0)
  const integers = isInteger ? integerEncodings(BigInt(number)) : []
  const single = new Uint8Array(4)
  new DataView(single.buffer).setFloat32(0, number)
  const double = new Uint8Array(8)
  new DataView(double.buffer).setFloat64(0, number)
  const half = halfOf(number)

  return [
    ...integers,
    ...(half === undefined ? [] : [`f9${half}`]),
    ...(Object.is(Math.fround(number), number) ? [`fa${hexOf(single)}`] : []),
    `fb${hexOf(double)}`
  ]
}

function integerEncodings(n: bigint): string[] {
  const majorType = n < 0n ? 0x20 : 0
  const argument = n < 0n ? -1n - n : n
  const widths = [1, 2, 4, 8].map((bytes, i) => ({ bytes, info: 24 + i }))
  const fitting = widths.filter(({ bytes }) => argument < 2n ** BigInt(8 * bytes))
  const longer = fitting.map(({ bytes, info }) => {
    const head = (majorType | info).toString(16).padStart(2, '0')
    return head + argument.toString(16).padStart(2 * bytes, '0')
  })
  const shortest = (majorType | Number(argument)).toString(16).padStart(2, '0')

  return argument < 24n ? [shortest, ...longer] : longer
}

/** The number as a half-precision float, if it is a normal one: subnormal ones are never written. */
function halfOf(number: number): string | undefined {
  const sign = number < 0 || Object.is(number, -0) ? 0x8000 : 0
  const size = Math.abs(number)

  if (size === 0 || size === Number.POSITIVE_INFINITY) {
    return (sign | (size === 0 ? 0 : 0x7c00)).toString(16).padStart(4, '0')
  }

  const exponent = Math.floor(Math.log2(size))
  const fraction = (size / 2 ** exponent - 1) * 1024
  const isNormal = exponent >= -14 && exponent <= 15 && Number.isInteger(fraction)
  return isNormal
    ? (sign | ((exponent + 15) << 10) | fraction).toString(16).padStart(4, '0')
    : undefined
}
