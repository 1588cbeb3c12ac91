import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import { line } from '../../src/text/json.ts'
import { parseKey, parseValue, shown } from '../../src/text/value-text.ts'

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.string(),
  fc.constantFrom('base64:x', 'text:', 'bigint:1', 'number:', '{', '"', '42'),
  fc.uint8Array()
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(leaf, fc.array(tie('any')), fc.dictionary(fc.string(), tie('any')))
})).any as fc.Arbitrary<Parameters<typeof shown>[0]>

describe('shown', () => {
  it('gives any value as text that parseValue reads back', () => {
    fc.assert(
      fc.property(value, (value) => {
        expect(plain(parseValue(shown(value)))).toEqual(plain(value))
      })
    )
  })

  it('gives no character that a terminal obeys', () => {
    expect(shown('\u001b[2J\u009b2J\u202ex\u007f')).toBe('"\\u001b[2J\\u009b2J\\u202ex\\u007f"')
  })
})

describe('line', () => {
  it('escapes whatever is not seen or reorders text, and JSON reads it back ', () => {
    const unseen = /[\p{C}\p{Zl}\p{Zp}\p{DI}]/u
    const known = [
      '\u061c',
      '\u200b',
      '\u034f',
      '\u3164',
      '\ufe00',
      '\u{e0101}',
      '\ufeff',
      '\u{e0000}',
      '\u{e007f}',
      '\u2066',
      '\u00ad',
      '\u180e'
    ]
    const character = fc.oneof(
      fc.constantFrom(...known),
      fc.string({ unit: 'binary', maxLength: 1 })
    )

    fc.assert(
      fc.property(fc.array(character), (characters) => {
        const text = characters.join('')
        const shown = line(text)
        expect(shown).not.toMatch(unseen)
        expect(JSON.parse(shown)).toBe(text)
      })
    )

    for (const one of known) {
      expect(line(one)).toMatch(/^"(\\u[0-9a-f]{4}){1,2}"$/)
    }
  })

  it('leaves letters of all languages, accents and emoji as they are', () => {
    expect(line('Žižkov, 東京, עברית, é, 😀')).toBe('"Žižkov, 東京, עברית, é, 😀"')
  })
})

describe('parseValue', () => {
  it.each([
    ['hello', 'hello'],
    ['two words', 'two words'],
    ['[owner:12D3] seats', '[owner:12D3] seats'],
    ['', ''],
    ['5', 5],
    ['text:5', '5'],
    ['"5"', '5'],
    ['-1e3', -1000],
    ['true', true],
    ['[1, "text:base64:"]', [1, 'base64:']],
    ['9007199254740993', 9007199254740993n],
    ['number:Infinity', Number.POSITIVE_INFINITY]
  ])('reads %s', (text, value) => {
    expect(parseValue(text)).toEqual(value)
  })

  it.each([
    '{"a":',
    '[1',
    '"',
    'base64:a',
    'bigint:1.5',
    'bigint:99999999999999999999',
    'number:x'
  ])('refuses %s', (text) => {
    expect(() => parseValue(text)).toThrow(UsageError)
  })
})

describe('parseKey', () => {
  it('refuses objects, however deep', () => {
    expect(() => parseKey('[1, [{}]]')).toThrow(/can't be a key/)
  })
})

/** Removes the prototypes that fast-check varies. */
function plain(value: unknown): unknown {
  return structuredClone(value)
}
