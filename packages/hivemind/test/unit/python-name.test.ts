import { describe, expect, it } from 'vitest'
import { kindOf, pythonName } from '../../src/keys/python-name.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { float, type HivemindKey, tuple } from '../../src/msgpack/python-types.ts'

describe('pythonName', () => {
  const nameOf = (key: HivemindKey): string => pythonName(encodeValue(key))

  it.each<[HivemindKey, HivemindKey]>([
    [0, false],
    [1, true],
    [1, float(1)],
    [0, float(-0)],
    [2n ** 60n, float(2 ** 60)],
    [tuple(1, 'a'), tuple(true, 'a')]
  ])('is one for %s and %s', (a, b) => {
    expect(nameOf(a)).toBe(nameOf(b))
  })

  it.each<[HivemindKey, HivemindKey]>([
    [1, '1'],
    ['a', Uint8Array.of(97)],
    [float(1.5), 1],
    [tuple(1), 1],
    [2n ** 60n, 2n ** 60n + 1n]
  ])('tells %s from %s', (a, b) => {
    expect(nameOf(a)).not.toBe(nameOf(b))
  })
})

describe('kindOf', () => {
  it('is the same for what Python can compare', () => {
    expect(kindOf(1)).toBe(kindOf(true))
    expect(kindOf(1)).toBe(kindOf(float(1.5)))
    expect(kindOf(tuple('a', 1))).toBe(kindOf(tuple('b', float(2))))
  })

  it('is another for what it cannot', () => {
    const kinds = [1, 'a', Uint8Array.of(1), null, tuple(1), tuple('a')].map(kindOf)
    expect(new Set(kinds).size).toBe(kinds.length)
  })
})
