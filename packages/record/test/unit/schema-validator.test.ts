import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  compose,
  type RecordValidator,
  type SchemaRule,
  type Submission,
  schemaValidator
} from '../../src/index.ts'
import { submission } from '../submissions.ts'

/** The same schemas by two libraries. */
const libraries = {
  zod: {
    number: z.number(),
    answer: z.enum(['yes', 'no']),
    name: z.string().min(2),
    point: z.object({ at: z.array(z.number()) }),
    toNumber: z.string().transform(Number),
    withDefault: z.object({ n: z.number().default(1) }),
    later: z.string().refine(async (text) => text === 'good', 'not good')
  },
  valibot: {
    number: v.number(),
    answer: v.picklist(['yes', 'no']),
    name: v.pipe(v.string(), v.minLength(2)),
    point: v.object({ at: v.array(v.number()) }),
    toNumber: v.pipe(v.string(), v.transform(Number)),
    withDefault: v.object({ n: v.optional(v.number(), 1) }),
    later: v.pipeAsync(
      v.string(),
      v.checkAsync(async (text) => text === 'good', 'not good')
    )
  }
} as const

function of(...rules: SchemaRule[]): RecordValidator {
  return schemaValidator({ rules })
}

function validate(validator: RecordValidator, differences: Partial<Submission>): unknown {
  return validator.validate(submission(differences))
}

describe.each(Object.entries(libraries))('schemaValidator with %s', (_, s) => {
  it('accepts what the schema describes, synchronously', () => {
    const validator = of({ key: 'key', value: s.number })

    expect(validate(validator, { value: 1.5 })).toBe(true)
    expect(validate(validator, { value: '1.5' })).toMatch(/^value: /)
  })

  it('names the path to the fault in a value', () => {
    const validator = of({ key: 'key', value: s.point })

    expect(validate(validator, { value: { at: [1, 2] } })).toBe(true)
    expect(validate(validator, { value: { at: [1, 'two'] } })).toMatch(/^value\.at\.1: /)
  })

  it('checks the subkeys and values of dictionaries', () => {
    const validator = of({ key: 'key', subkey: s.name, value: s.answer })

    expect(validate(validator, { subkey: 'alice', value: 'yes' })).toBe(true)
    expect(validate(validator, { subkey: 'a', value: 'yes' })).toMatch(/^subkey: /)
    expect(validate(validator, { subkey: 'alice', value: 'maybe' })).toMatch(/^value: /)
  })

  it('waits for asynchronous schemas', async () => {
    const validator = of({ key: 'key', value: s.later })

    expect(await validate(validator, { value: 'good' })).toBe(true)
    expect(await validate(validator, { value: 'bad' })).toBe('value: not good')
  })

  it.each<[string, keyof typeof s, Submission['value']]>([
    ['converts values', 'toNumber', '5'],
    ['adds defaults', 'withDefault', {}],
    ['drops properties', 'point', { at: [], besides: 1 }]
  ])('accepts nothing for a schema that %s', (_, name, value) => {
    const validator = of({ key: 'key', value: s[name] })

    expect(validate(validator, { value })).toMatch(/^the schema changes the value/)
  })
})

describe('schemaValidator', () => {
  const answer = z.enum(['yes', 'no'])

  it.each<[string, SchemaRule, Submission['key'][], Submission['key'][]]>([
    ['one key', { key: 'key', value: answer }, ['key'], ['other', 'key2', ['key'], 0]],
    ['one key that is not a string', { key: [1, 'a'], value: answer }, [[1, 'a']], ['1,a', [1]]],
    ['the key 0', { key: 0, value: answer }, [0, -0], ['0', false, '']],
    ['a prefix', { prefix: 'a/', value: answer }, ['a/', 'a/b'], ['a', 'ba/', ['a/'], 1]],
    ['a pattern', { pattern: /^a\d$/, value: answer }, ['a1'], ['a12', ['a1'], 1]],
    ['a pattern with g', { pattern: /\d/g, value: answer }, ['a1', 'b2', 'c3'], ['a']],
    ['a pattern with y', { pattern: /^a/y, value: answer }, ['a1', 'a2', 'a3'], ['b', 'ba']]
  ])('matches %s', (_, rule, about, others) => {
    const strict = schemaValidator({ rules: [rule], allowOtherKeys: false })

    for (const key of about) {
      expect(validate(of(rule), { key, value: 'maybe' })).toMatch(/^value: /)
      expect(validate(strict, { key, value: 'yes' })).toBe(true)
    }

    for (const key of others) {
      expect(validate(of(rule), { key, value: 'maybe' })).toBe(true)
      expect(validate(strict, { key, value: 'maybe' })).toBe('no schema matches the key')
    }
  })

  it('tells plain values from dictionaries', () => {
    const plain = of({ key: 'key', value: answer })
    const dictionary = of({ key: 'key', subkey: z.string(), value: answer })

    expect(validate(plain, { subkey: 'a', value: 'yes' })).toMatch(/not subkeys/)
    expect(validate(dictionary, { value: 'yes' })).toMatch(/holds a dictionary/)
    expect(validate(dictionary, { value: { a: 'yes' } })).toMatch(/holds a dictionary/)
  })

  it('accepts deletions where a rule allows the place (R9)', () => {
    const plain = of({ key: 'key', value: answer })
    const dictionary = of({ key: 'key', subkey: z.string(), value: answer })

    expect(validate(plain, {})).toBe(true)
    expect(validate(dictionary, { subkey: 'a' })).toBe(true)
    expect(validate(plain, { subkey: 'a' })).toMatch(/not subkeys/)
    expect(validate(dictionary, { subkey: 1 })).toMatch(/^subkey: /)
  })

  it('compares bytes, bigints and floats exactly', () => {
    const value = { b: Uint8Array.of(1), n: 5n, f: -0, list: [null, ''] }
    const anything = of({ key: 'key', value: z.any() })

    expect(validate(anything, { value })).toBe(true)
    expect(validate(of({ key: 'key', value: z.coerce.number() }), { value: 5n })).toMatch(/changes/)
  })

  it('accepts what one of several rules accepts, and otherwise gives the reason of each', () => {
    const validator = of(
      { key: 'key', value: z.number() },
      { prefix: 'ke', value: answer },
      { pattern: /e/, subkey: z.string(), value: z.null() }
    )

    expect(validate(validator, { value: 1 })).toBe(true)
    expect(validate(validator, { value: 'yes' })).toBe(true)
    expect(validate(validator, { subkey: 'a', value: null })).toBe(true)
    expect(validate(validator, { value: 'maybe' })).toMatch(/^value: .*; or value: .*; or the key/)
  })

  it('merges with others, one of which has to accept', () => {
    const both = compose(
      schemaValidator({ rules: [{ key: 'a', value: answer }], allowOtherKeys: false }),
      schemaValidator({ rules: [{ key: 'b', value: answer }], allowOtherKeys: false })
    )

    expect(both.validators).toHaveLength(1)
    expect(validate(both, { key: 'a', value: 'yes' })).toBe(true)
    expect(validate(both, { key: 'b', value: 'yes' })).toBe(true)
    expect(validate(both, { key: 'c', value: 'yes' })).toMatch(/no schema/)

    const open = compose(both, of({ key: 'a', value: z.number() }))
    expect(validate(open, { key: 'a', value: 1 })).toBe(true)
    expect(validate(open, { key: 'c', value: 'yes' })).toBe(true)
  })

  it.each<[string, unknown, RegExp]>([
    ['no rules', {}, /rules must be an array/],
    ['a rule without a key', { rules: [{ value: answer }] }, /rules\[0\]: give one of key/],
    ['two kinds of keys', { rules: [{ key: 1, prefix: 'a', value: answer }] }, /key and prefix/],
    ['a prefix that is not a string', { rules: [{ prefix: 1, value: answer }] }, /prefix must be/],
    [
      'a pattern that is not an expression',
      { rules: [{ pattern: 'a', value: answer }] },
      /pattern must be/
    ],
    ['an object as a key', { rules: [{ key: {}, value: answer }] }, /rules\[0\]: key/],
    ['no schema', { rules: [{ key: 1, value: 'string' }] }, /value must be a Standard Schema/],
    ['no schema for subkeys', { rules: [{ key: 1, value: answer, subkey: 1 }] }, /subkey must be/]
  ])('refuses %s', (_, options, reason) => {
    const make = () => schemaValidator(options as never)

    expect(make).toThrow(TypeError)
    expect(make).toThrow(reason)
  })
})
