import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_OBJECTS } from '../../src/msgpack/limits.ts'
import { decodeValue } from '../../src/msgpack/msgpack-reader.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { Float, float, type HivemindValue, Tuple, tuple } from '../../src/msgpack/python-types.ts'
import { bytesOfHex, hexOf } from '../support/hex.ts'
import { valueOfPython } from '../support/python-literals.ts'
import { pythonValues } from '../support/python-values.ts'
import { vectors } from '../support/vectors.ts'

describe('encodeValue', () => {
  it.each(vectors.offline.msgpack)('writes $python as Python does', ({ python, hex }) => {
    expect(hexOf(encodeValue(valueOfPython(python)))).toBe(hex)
  })

  it.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /^value is undefined/],
    ['what is undefined inside', { a: [undefined] }, /^value\["a"\]\[0\] is undefined/],
    ['a number as a key of a map', new Map([[1, 2]]), /has a number as a key/],
    ['a bigint of 65 bits', 2n ** 64n, /does not fit 64 bits/],
    ['a bigint below 64 bits', -(2n ** 63n) - 1n, /does not fit 64 bits/],
    ['half a surrogate pair', 'a\ud800', /surrogate/],
    ['an instance of a class', new Date(0), /is of class Date/],
    ['a function', () => {}, /is a function/]
  ])('refuses %s', (_, value, message) => {
    expect(() => encodeValue(value)).toThrow(TypeError)
    expect(() => encodeValue(value)).toThrow(message)
  })

  it('refuses what contains itself', () => {
    const circle: unknown[] = []
    circle.push(circle)
    expect(() => encodeValue(circle)).toThrow(/contains itself/)
  })

  it('leaves out nothing of an object, whatever its names are', () => {
    const named = JSON.parse('{"__proto__": 1, "constructor": 2}')
    expect(Object.entries(Object(decodeValue(encodeValue(named))))).toEqual(Object.entries(named))
  })
})

describe('decodeValue', () => {
  it.each(vectors.offline.msgpack)('reads $python as it was stored', ({ python, hex }) => {
    const bytes = bytesOfHex(hex)
    const value = decodeValue(bytes, { exactFloats: true })

    expect(hexOf(encodeValue(value))).toBe(hex)
    expect(encodeValue(decodeValue(bytes))).toEqual(encodeValue(plain(valueOfPython(python))))
  })

  it('gives back what was written, floats, tuples and bytes keys included', () => {
    fc.assert(
      fc.property(pythonValues, (value) => {
        const bytes = encodeValue(value)
        expect(encodeValue(decodeValue(bytes, { exactFloats: true }))).toEqual(bytes)
      })
    )
  })

  it('reads floats as numbers unless told otherwise', () => {
    expect(decodeValue(encodeValue([float(1), 1.5]))).toEqual([1, 1.5])
    expect(decodeValue(encodeValue(float(1)), { exactFloats: true })).toEqual(float(1))
  })

  it('reads a tuple as a frozen array', () => {
    const value = decodeValue(encodeValue(tuple('a', tuple(1))))
    expect(value).toBeInstanceOf(Tuple)
    expect(Object.isFrozen(value)).toBe(true)
    expect([...(value as Tuple)][0]).toBe('a')
  })

  it('reads an unknown extension as its bare bytes', () => {
    expect(decodeValue(bytesOfHex('d5070708'))).toEqual(Uint8Array.of(7, 8))
  })

  it('takes the last of equal keys', () => {
    expect(decodeValue(bytesOfHex('82a16101a16102'))).toEqual({ a: 2 })
    expect(decodeValue(bytesOfHex('82c4016101c4016102'))).toEqual(new Map([[Uint8Array.of(97), 2]]))
  })

  it('makes no more objects of a value than so many, wherever they are', () => {
    const some = new Array(MAX_OBJECTS / 2 - 2).fill([])
    const inTuples = tuple(tuple(...some), tuple(...some))
    expect(decodeValue(encodeValue(inTuples))).toHaveLength(2)

    for (const item of [[], {}, '', new Uint8Array(0), tuple()]) {
      const bytes = encodeValue(new Array(MAX_OBJECTS).fill(item))
      expect(() => decodeValue(bytes)).toThrow(/more than 65536 objects/)
    }

    const more = encodeValue([inTuples, inTuples])
    expect(() => decodeValue(more)).toThrow(/more than 65536 objects/)
  })

  it('reads a list of very many numbers', () => {
    const numbers = new Array(4 * MAX_OBJECTS).fill(1)
    expect(decodeValue(encodeValue(numbers))).toEqual(numbers)
  })

  it('reads integers that are longer than they need be', () => {
    expect(decodeValue(bytesOfHex('cf0000000000000001'))).toBe(1)
    expect(decodeValue(bytesOfHex('d3ffffffffffffffff'))).toBe(-1)
  })

  it.each([
    ['nothing', ''],
    ['a value that is cut short', 'a261'],
    ['a length that is cut short', 'da01'],
    ['bytes behind a value', '0101'],
    ['the byte that means nothing', 'c1'],
    ['text that is not UTF-8', 'a1ff'],
    ['half a surrogate pair', 'a3eda080'],
    ['an int as a key of a map', '810102'],
    ['null as a key of a map', '81c001'],
    ['a tuple whose content is no list', 'd44001'],
    ['a tuple with bytes behind its list', 'd5409001'],
    ['a dictionary inside a value', '91c7145093cb7ff0000000000000cbfff000000000000090'],
    ['a timestamp', 'd6ff00000000'],
    ['an array of four thousand million items', 'ddffffffff'],
    ['arrays nested too deep', '91'.repeat(200).concat('c0')],
    ['tuples nested too deep', nestedTuples(200)]
  ])('refuses %s', (_, hex) => {
    expect(() => decodeValue(bytesOfHex(hex))).toThrow(
      expect.objectContaining({ name: 'MalformedBytesError' })
    )
  })
})

function nestedTuples(depth: number): string {
  let hex = '90'

  for (let i = 0; i < depth; i++) {
    const data = bytesOfHex(i === 0 ? hex : `91${hex}`)
    hex = `c8${data.length.toString(16).padStart(4, '0')}40${hexOf(data)}`
  }

  return hex
}

/** Replaces floats by numbers. */
function plain(value: HivemindValue): HivemindValue {
  if (value instanceof Float) {
    return value.value
  }

  if (value instanceof Tuple) {
    return tuple(...value.map(plain))
  }

  if (Array.isArray(value)) {
    return value.map(plain)
  }

  const isObject = value !== null && Object.getPrototypeOf(value) === Object.prototype
  return isObject
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
    : value
}
