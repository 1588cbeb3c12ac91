import { describe, expect, it } from 'vitest'
import { textOf } from '../../src/bytes/latin1.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { decodeDictionary, encodeDictionary } from '../../src/record/dictionary.ts'
import { bytesOfHex, hexOf } from '../support/hex.ts'
import { valueOfPython } from '../support/python-literals.ts'
import { vectors } from '../support/vectors.ts'

const cases = vectors.offline.dictionary.map(({ items, ...rest }) => ({
  ...rest,
  items,
  entries: items.map(([subkey, value, expirationTime]) => {
    const name = textOf(encodeValue(valueOfPython(subkey)))
    return [name, { value: bytesOfHex(value), expirationTime }] as const
  })
}))

describe('encodeDictionary', () => {
  const unlimited = cases.filter(({ maxsize }) => maxsize === null)

  it.each(unlimited)('writes $items as Python does', ({ entries, hex }) => {
    expect(hexOf(encodeDictionary(new Map(entries)))).toBe(hex)
  })
})

describe('decodeDictionary', () => {
  it.each(cases)('reads $items, size limit $maxsize', ({ entries, hex }) => {
    expect(decodeDictionary(bytesOfHex(hex))).toEqual(entries)
  })

  it('reads expirations to the bit', () => {
    const hex =
      'c73d5093cb7ff0000000000000cb41dac322240d06489293a27331c40101cb41dac32223cbf6d193c4027332c409cb4000000000000000cb41dac322240d0648'
    const entries = decodeDictionary(bytesOfHex(hex))

    expect(hexOf(encodeDictionary(new Map(entries)))).toBe(hex)
  })

  it.each([
    ['nothing', ''],
    ['a value', '01'],
    ['a tuple', 'd44090'],
    ['two parts', 'c7135092cb7ff0000000000000cbfff0000000000000'],
    ['an entry of two parts', 'c7195093cb7ff0000000000000cbfff00000000000009192a161c40101'],
    [
      'a value that is no bytes',
      'c7205093cb7ff0000000000000cbfff00000000000009193a16101cb0000000000000000'
    ],
    ['bytes behind it', 'c7145093cb7ff0000000000000cbfff00000000000009000']
  ])('refuses %s', (_, hex) => {
    expect(() => decodeDictionary(bytesOfHex(hex))).toThrow(
      expect.objectContaining({ name: 'MalformedBytesError' })
    )
  })
})
