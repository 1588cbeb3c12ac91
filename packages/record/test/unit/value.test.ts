import fc from 'fast-check'
import { equals } from 'uint8arrays/equals'
import { describe, expect, it } from 'vitest'
import { MalformedRecordError, type Value } from '../../src/index.ts'
import { decodeValue, encodeValue } from '../../src/replica.ts'
import { MAX_VALUE_DEPTH } from '../../src/values/value.ts'
import { anyValue, LAW } from '../generators.ts'
import { isSameValue } from '../same-value.ts'

/** Values so few that two are often equal, and more often nearly so. */
const lookAlike: fc.Arbitrary<Value> = fc
  .tuple(
    fc.constantFrom<Value[]>(0, -0, 0n, '0', '', false, null, 1, 1n, 1.5, new Uint8Array(1), []),
    fc.constantFrom<((value: Value) => Value)[]>(
      (value) => value,
      (value) => [value],
      (value) => [[value]],
      (value) => ({ a: value }),
      (value) => ({ b: value }),
      (value) => ({ a: value, b: 0 })
    )
  )
  .map(([value, wrapped]) => wrapped(value))

function nested(depth: number, inside: Value = []): Value {
  let value = inside

  for (let i = 1; i < depth; i++) {
    value = [value]
  }

  return value
}

describe('encodeValue and decodeValue', () => {
  it('give back what was stored, of whatever kind (R11)', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(isSameValue(decodeValue(encodeValue(value)), plain(value))).toBe(true)
      }),
      LAW
    )
  })

  it('give equal values equal bytes, however their properties are ordered (R10, R11)', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyValue), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())

        expect(encodeValue(reversed)).toStrictEqual(encodeValue(value))
      }),
      LAW
    )
  })

  it('give different values different bytes (R10, R11)', () => {
    fc.assert(
      fc.property(lookAlike, lookAlike, (a, b) => {
        const isSame = isSameValue(plain(a), plain(b))

        expect(equals(encodeValue(a), encodeValue(b))).toBe(isSame)
      }),
      LAW
    )
  })

  it.each<[string, Value]>([
    ['null', null],
    ['false', false],
    ['true', true],
    ['0', 0],
    ['−0', -0],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['−Infinity', Number.NEGATIVE_INFINITY],
    ['the smallest number', Number.MIN_VALUE],
    ['the largest number', Number.MAX_VALUE],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['the smallest safe integer', Number.MIN_SAFE_INTEGER],
    ['an integer beyond the safe ones', 2 ** 53],
    ['an integer beyond 64 bits', 2 ** 70],
    ['a number that needs a double', 0.1],
    ['a number that fits a half', 1.5],
    ['a subnormal half', 2 ** -24],
    ['a float between the halves', 3 * 2 ** -24],
    ['0n', 0n],
    ['−1n', -1n],
    ['the smallest bigint', -(2n ** 63n)],
    ['the largest bigint', 2n ** 64n - 1n],
    ['a bigint that a number could be', 1n],
    ['an empty string', ''],
    ['a byte order mark', '\ufeff'],
    ['a string that begins with a byte order mark', '\ufeffa'],
    ['a string with a NUL', 'a\0b'],
    ['an astral string', '😀👩‍👩‍👧‍👦𝒳'],
    ['a string that is not normalized', 'e\u0301'],
    ['a long string', 'bee '.repeat(20_000)],
    ['empty bytes', new Uint8Array(0)],
    ['bytes', Uint8Array.of(0, 1, 254, 255)],
    ['an empty array', []],
    ['an empty object', {}],
    ['nested empty ones', [[], [[]], {}, { a: {} }, [{}]]],
    ['a property named with nothing', { '': 1 }],
    ['properties that look like indices', { 10: 'b', 9: 'a', a: 'c' }],
    ['what all objects inherit', { constructor: 1, toString: 2, hasOwnProperty: null }]
  ])('give back %s (R11)', (_, value) => {
    expect(decodeValue(encodeValue(value))).toStrictEqual(value)
  })

  it('give back __proto__ as a property like any other (R11)', () => {
    const value = JSON.parse('{"__proto__": {"isAdmin": true}, "a": 1}')
    const read = decodeValue(encodeValue(value)) as Record<string, unknown>

    expect(Object.keys(read)).toEqual(['a', '__proto__'])
    expect(Object.getOwnPropertyDescriptor(read, '__proto__')?.value).toEqual({ isAdmin: true })
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect('isAdmin' in read).toBe(false)
  })

  it('give back an object without a prototype as a plain one (R11)', () => {
    const value: Value = Object.assign(Object.create(null), { a: 1 })

    expect(decodeValue(encodeValue(value))).toStrictEqual({ a: 1 })
  })

  it.skipIf(!('Buffer' in globalThis))(
    'give back a Buffer, and the values in one, as bytes of their own (R11)',
    () => {
      const buffer = Buffer.from(encodeValue(Buffer.from([1, 2, 3])))
      const read = decodeValue(buffer) as Uint8Array
      buffer.fill(0)

      expect(Object.getPrototypeOf(read)).toBe(Uint8Array.prototype)
      expect(read).toStrictEqual(Uint8Array.of(1, 2, 3))
    }
  )

  it('give bytes that share their memory with nothing (R10)', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = encodeValue(value)

        expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
        expect(bytes.buffer.byteLength).toBe(bytes.length)
      }),
      LAW
    )
  })

  it('write a value while another one is being written (R10)', () => {
    const outer = {
      a: 'before',
      get b() {
        return decodeValue(encodeValue(['inner', { c: 1 }]))
      },
      d: 'after'
    }

    expect(decodeValue(encodeValue(outer))).toStrictEqual({
      a: 'before',
      b: ['inner', { c: 1 }],
      d: 'after'
    })
  })

  it('leaves out properties that are undefined, as in JSON (R11)', () => {
    const value = { a: undefined, b: { c: undefined, d: 1 }, e: [{ f: undefined }] }

    expect(encodeValue(value as unknown as Value)).toEqual(encodeValue({ b: { d: 1 }, e: [{}] }))
  })

  it('work after a value that was refused halfway (R11)', () => {
    expect(() => encodeValue(['x'.repeat(100_000), undefined] as unknown as Value)).toThrow(
      TypeError
    )
    expect(decodeValue(encodeValue(['x', 'y']))).toStrictEqual(['x', 'y'])
  })

  it('copy the bytes of the caller (R11)', () => {
    const bytes = new Uint8Array(1000).fill(7)
    const encoded = encodeValue(bytes)
    bytes.fill(0)

    expect(decodeValue(encoded)).toStrictEqual(new Uint8Array(1000).fill(7))
  })

  it('tell an integer from a float, a bigint and a string (R11)', () => {
    const encodings = [1, 1n, '1', 1.5, true, [1], Uint8Array.of(1), 0, -0, 0n, '', false, null]
    const bytes = encodings.map((value) => encodeValue(value).toString())

    expect(new Set(bytes).size).toBe(encodings.length)
  })

  it('go as deep as the limit and no deeper (R11, R10)', () => {
    const deepest = nested(MAX_VALUE_DEPTH)
    const bytes = encodeValue(deepest)

    expect(decodeValue(bytes)).toStrictEqual(deepest)
    expect(() => encodeValue(nested(MAX_VALUE_DEPTH + 1))).toThrow(/nested deeper than 256/)
    expect(() => decodeValue(Uint8Array.of(0x81, ...bytes))).toThrow(/nested deeper than 256/)
  })

  it('count objects as deep as arrays, and what they hold as no deeper (R11)', () => {
    const deepest = nested(MAX_VALUE_DEPTH, { a: 1 })

    expect(decodeValue(encodeValue(deepest))).toStrictEqual(deepest)
    expect(() => encodeValue(nested(MAX_VALUE_DEPTH, { a: {} }))).toThrow(TypeError)
  })
})

describe('decodeValue', () => {
  it.each([
    ['no bytes', []],
    ['bytes after the value', [0, 0]],
    ['a truncated string', [0x62, 0x61]],
    ['a length that is not the shortest', [0x58, 0x01, 0x00]]
  ])('refuses %s (R10)', (_, bytes) => {
    expect(() => decodeValue(Uint8Array.from(bytes))).toThrow(MalformedRecordError)
  })
})

/** The value as it comes back: objects are plain. */
function plain(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(plain)
  }

  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) {
    return value
  }

  return Object.fromEntries(Object.entries(value).map(([name, inside]) => [name, plain(inside)]))
}
