import { describe, expect, it } from 'vitest'
import { distance, idOfKey, randomId } from '../../src/keys/dht-id.ts'
import { float, type HivemindKey, tuple } from '../../src/msgpack/python-types.ts'
import { bytesOfHex, hexOf } from '../support/hex.ts'
import { valueOfPython } from '../support/python-literals.ts'
import { vectors } from '../support/vectors.ts'

describe('idOfKey', () => {
  it.each(vectors.offline.dhtid)('puts $python where Python puts it', ({ python, hex }) => {
    expect(hexOf(idOfKey(valueOfPython(python) as HivemindKey))).toBe(hex)
  })

  it.each<[string, unknown, RegExp]>([
    ['null', null, /another random key each time/],
    ['an array', ['a'], /use tuple/],
    ['an object', {}, /key is an object/],
    ['a tuple that holds an array', tuple('a', ['b']), /use tuple/],
    ['undefined', undefined, /key is undefined/]
  ])('refuses %s', (_, key, message) => {
    expect(() => idOfKey(key as HivemindKey)).toThrow(TypeError)
    expect(() => idOfKey(key as HivemindKey)).toThrow(message)
  })

  it('tells apart what Python tells apart', () => {
    const ids = [1, float(1), true, '1', tuple(1)].map((key) => hexOf(idOfKey(key)))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('distance', () => {
  const { query, nearest, distances } = vectors.offline.nearest

  it.each(nearest.map((id, i) => [id, distances[i]]))('of %s is as in Python', (id, expected) => {
    expect(hexOf(distance(bytesOfHex(query), bytesOfHex(id ?? '')))).toBe(expected)
  })
})

describe('randomId', () => {
  it('is another one each time', () => {
    expect(randomId()).toHaveLength(20)
    expect(randomId()).not.toEqual(randomId())
  })
})
