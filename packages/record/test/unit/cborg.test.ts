import { isDeepStrictEqual } from 'node:util'
import { decode, encode, rfc8949EncodeOptions, Token, Type } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MalformedRecordError, type Value } from '../../src/index.ts'
import { decodeValue, encodeValue } from '../../src/replica.ts'
import { anyNumber, anyValue, LAW } from '../generators.ts'

/*
 * The canonical form once more, by a library of others: bytes are canonical if cborg, told to be
 * strict, reads them, and gives the same bytes when it writes what it has read.
 */

const TAGS = { positive: 2, negative: 3 }

const READING = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
  tags: {
    [TAGS.positive]: (content: () => unknown) => within64Bits(unsigned(content())),
    [TAGS.negative]: (content: () => unknown) => within64Bits(-1n - unsigned(content()))
  }
}

const WRITING = {
  ...rfc8949EncodeOptions,
  typeEncoders: {
    bigint: (n: bigint) => [
      new Token(Type.tag, n < 0n ? TAGS.negative : TAGS.positive),
      new Token(Type.bytes, magnitudeOf(n < 0n ? -1n - n : n))
    ],
    number: (n: number) => (Object.is(n, -0) ? new Token(Type.float, n) : null)
  }
}

/** The byte of a value to change, and its new value, which mostly means something in CBOR. */
const tampering = fc.array(
  fc.tuple(
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.oneof(
      fc.nat(255),
      fc.constantFrom(0, 0x17, 0x18, 0x1b, 0x20, 0x38, 0x41, 0x58, 0x61, 0x78, 0x80, 0x81, 0x9a),
      fc.constantFrom(0xa0, 0xa1, 0xb8, 0xc2, 0xc3, 0xc4, 0xe0, 0xf4, 0xf6, 0xf7, 0xf9, 0xfa, 0xfb)
    )
  ),
  { maxLength: 3 }
)

const floats = fc
  .tuple(fc.constantFrom(0xf9, 0xfa, 0xfb), fc.uint8Array({ minLength: 8, maxLength: 8 }))
  .map(([head, bytes]) => Uint8Array.of(head, ...bytes.subarray(0, 2 ** (head - 0xf8))))

describe('encodeValue', () => {
  it('writes what cborg writes (R10)', () => {
    fc.assert(
      fc.property(fc.oneof(anyValue, anyNumber), (value) => {
        expect(encodeValue(value)).toStrictEqual(new Uint8Array(encode(value, WRITING)))
      }),
      LAW
    )
  })
})

describe('decodeValue', () => {
  it('reads what cborg reads of bytes that were tampered with, and refuses the rest (R10)', () => {
    const verdicts = { read: 0, refused: 0 }

    fc.assert(
      fc.property(anyValue, tampering, (value, changes) => {
        const bytes = encodeValue(value)

        for (const [at, byte] of changes) {
          bytes[Math.floor(at * bytes.length)] = byte
        }

        // cborg swallows it where a string begins with one.
        fc.pre(!Buffer.from(bytes).includes('\ufeff'))
        verdicts[expectSame(bytes)] += 1
      }),
      { numRuns: 30_000 }
    )

    expect(Math.min(verdicts.read, verdicts.refused)).toBeGreaterThan(3000)
  })

  it('reads what cborg reads of all halves, and of other floats (R10)', () => {
    for (let half = 0; half < 2 ** 16; half++) {
      expectSame(Uint8Array.of(0xf9, half >> 8, half & 0xff))
    }

    fc.assert(
      fc.property(floats, (bytes) => {
        expectSame(bytes)
      }),
      LAW
    )
  })
})

function expectSame(bytes: Uint8Array): 'read' | 'refused' {
  const expected = strictly(bytes)

  try {
    const value = decodeValue(bytes)

    if (expected !== undefined && isDeepStrictEqual(value, expected.value)) {
      return 'read'
    }
  } catch (error) {
    if (expected === undefined && error instanceof MalformedRecordError) {
      return 'refused'
    }
  }

  throw new Error(`cborg makes of ${Buffer.from(bytes).toString('hex')} something else`)
}

/** Reads with cborg; undefined if cborg would not write the same bytes. */
function strictly(bytes: Uint8Array): { value: Value } | undefined {
  try {
    const value = decode(bytes, READING)
    return Buffer.compare(encode(value, WRITING), bytes) === 0 ? { value } : undefined
  } catch {
    return undefined
  }
}

function unsigned(content: unknown): bigint {
  if (!(content instanceof Uint8Array)) {
    throw new Error('not the bytes of a bigint')
  }

  return BigInt(`0x0${Buffer.from(content).toString('hex')}`)
}

function within64Bits(n: bigint): bigint {
  if (n < -(2n ** 63n) || n >= 2n ** 64n) {
    throw new Error(`${n} does not fit`)
  }

  return n
}

function magnitudeOf(n: bigint): Uint8Array {
  const hex = n === 0n ? '' : n.toString(16)
  return Buffer.from(hex.padStart(2 * Math.ceil(hex.length / 2), '0'), 'hex')
}
