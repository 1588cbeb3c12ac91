import { describe, expect, it } from 'vitest'
import {
  compose,
  ownerTag,
  ownerValidator,
  type RecordValidator,
  recordKey,
  type Submission,
  ValidationError,
  type Value
} from '../../src/index.ts'
import { encodeValue, refusalOf, subkeyId, submissionOf } from '../../src/replica.ts'
import { ALICE, BOB } from '../generators.ts'
import { submission } from '../submissions.ts'

const some = submission({ value: 'x' })

/** Puts a mark around values, and takes it off again. */
function marking(mark: string, priority?: number): RecordValidator {
  const { length } = mark
  return {
    name: mark,
    priority,
    validate: ({ value }) => String(value).startsWith(mark) || `is not marked ${mark}`,
    sign: ({ value }) => mark + value,
    strip: ({ value }) => String(value).slice(length)
  }
}

describe('compose', () => {
  it('accepts what all validators do, at once if they answer at once', () => {
    const even: RecordValidator = { validate: ({ value }) => Number(value) % 2 === 0 }
    const small: RecordValidator = { name: 'small', validate: ({ value }) => Number(value) < 10 }
    const both = compose(even, small)

    expect(both.validate(submission({ value: 4 }))).toBe(true)
    expect(both.validate(submission({ value: 12 }))).toBe('small: no reason given')
    expect(both.validate(submission({ value: 3 }))).toBe('a validator: no reason given')
    expect(compose().validate(some)).toBe(true)
  })

  it('accepts what all validators do, when they take their time', async () => {
    const slow: RecordValidator = { name: 'slow', validate: async ({ value }) => value === 'x' }

    expect(await compose(slow, { ...slow }).validate(some)).toBe(true)
    expect(await compose(slow).validate(submission({ value: 'y' }))).toBe('slow: no reason given')
  })

  it.each<[string, () => unknown, string]>([
    ['throws', () => raise('broken'), 'v failed: broken'],
    ['rejects', async () => raise('broken'), 'v failed: broken'],
    ['throws what is no error', () => raise(undefined), 'v failed: undefined'],
    ['says nothing', () => undefined, 'v: it gave undefined, not true'],
    ['says nothing later', async () => undefined, 'v: it gave undefined, not true'],
    ['says why', () => 'too long', 'v: too long']
  ])('refuses by a validator that %s', async (_, validate, reason) => {
    const validator = { name: 'v', validate } as RecordValidator

    expect(await compose(validator).validate(some)).toBe(reason)
    expect(await refusalOf([validator], some)).toBe(reason)
  })

  it('calls a validator of a class by the name of the class', () => {
    class Sceptic implements RecordValidator {
      validate(): boolean {
        return false
      }
    }

    expect(compose(new Sceptic()).validate(some)).toBe('Sceptic: no reason given')
  })

  it('validates and strips by falling priority, and signs by rising one', async () => {
    const both = compose(marking('b', 1), marking('a', 2), marking('c'))
    const signed = (await both.sign(some)) as Value

    expect(both.validators.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(signed).toBe('abcx')
    expect(both.validate(submission({ value: 'abcx' }))).toMatch(/^b: /)
    expect(await both.strip(submission({ value: 'abcx' }))).toBe('x')
  })

  it('lets null be a value', () => {
    const nothing: RecordValidator = { validate: () => true, sign: () => null, strip: () => null }

    expect(compose(nothing).sign(some)).toBeNull()
    expect(compose({ validate: () => true }).strip(submission({ value: null }))).toBeNull()
  })

  it('takes apart what was composed before', () => {
    const all = compose(compose(marking('a'), marking('b', 5)), marking('c', 3))

    expect(all.validators.map(({ name }) => name)).toEqual(['b', 'c', 'a'])
  })

  it('counts the same one once', () => {
    const marked = marking('!')

    expect(compose(marked, compose(marked)).sign(some)).toBe('!x')
  })

  it('merges those that can', () => {
    const counting = (count: number): RecordValidator & { count: number } => ({
      count,
      validate: () => `${count}`,
      mergeWith: (other) => ('count' in other ? counting(count + Number(other.count)) : undefined)
    })
    const merged = compose(counting(1), marking('a', -1), counting(2), counting(4))

    expect(merged.validators).toHaveLength(2)
    expect(merged.validate(some)).toBe('a validator: 7')
  })
})

describe('submissionOf', () => {
  it('decodes what validators look at', () => {
    const entry = { expirationTime: 5, value: encodeValue([1, 'x']) }
    const place = submissionOf(recordKey(['a', 1]), subkeyId(ownerTag(ALICE)), entry)

    expect(place.key).toEqual(['a', 1])
    expect(place.subkey).toBe(ownerTag(ALICE))
    expect(place.value).toEqual([1, 'x'])
    expect(place.expirationTime).toBe(5)
    expect(place.owner).toBe(ALICE)
  })

  it('leaves undefined what is not there', () => {
    const { subkey, value, owner } = submissionOf(recordKey('a'), undefined, { expirationTime: 5 })

    expect([subkey, value, owner]).toEqual([undefined, undefined, undefined])
  })
})

describe('ownerValidator', () => {
  const validate = (validator: RecordValidator, differences: Partial<Submission>) =>
    validator.validate(submission({ value: 'x', ...differences }))

  it('requires that places belong to somebody', () => {
    const validator = ownerValidator({ keys: [{ prefix: 'profile/' }, { key: 'party' }] })

    expect(validate(validator, { key: `profile/${ownerTag(ALICE)}` })).toBe(true)
    expect(validate(validator, { key: 'party', subkey: ownerTag(BOB) })).toBe(true)
    expect(validate(validator, { key: 'profile/alice' })).toMatch(/has to belong to somebody/)
    expect(validate(validator, { key: 'party', subkey: 'bob' })).toMatch(/has to belong/)
    expect(validate(validator, { key: 'elsewhere' })).toBe(true)
  })

  it('requires that they belong to one of these peers', () => {
    const validator = ownerValidator({ keys: [{ key: 'news' }], owners: [ALICE] })

    expect(validate(validator, { key: 'news', subkey: ownerTag(ALICE) })).toBe(true)
    expect(validate(validator, { key: 'news', subkey: ownerTag(BOB) })).toBe(
      `${BOB} may not write here`
    )
  })

  it('refuses what can own nothing', () => {
    expect(() => ownerValidator({ keys: [], owners: ['alice'] })).toThrow(TypeError)
    expect(() => ownerValidator({ keys: [], owners: [`Qm${'a'.repeat(44)}`] })).toThrow(
      ValidationError
    )
    expect(() => ownerValidator({ keys: [{}] as never })).toThrow(TypeError)
  })
})

function raise(error: unknown): never {
  throw typeof error === 'string' ? new Error(error) : error
}
