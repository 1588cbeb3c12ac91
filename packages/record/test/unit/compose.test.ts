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

/** Makes a validator that puts a mark before values and takes it off again. */
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
  it('accepts what all validators accept, synchronously if they are synchronous', () => {
    const even: RecordValidator = { validate: ({ value }) => Number(value) % 2 === 0 }
    const small: RecordValidator = { name: 'small', validate: ({ value }) => Number(value) < 10 }
    const both = compose(even, small)

    expect(both.validate(submission({ value: 4 }))).toBe(true)
    expect(both.validate(submission({ value: 12 }))).toBe('small: no reason given')
    expect(both.validate(submission({ value: 3 }))).toBe('a validator: no reason given')
    expect(compose().validate(some)).toBe(true)
  })

  it('accepts what all asynchronous validators accept', async () => {
    const slow: RecordValidator = { name: 'slow', validate: async ({ value }) => value === 'x' }

    expect(await compose(slow, { ...slow }).validate(some)).toBe(true)
    expect(await compose(slow).validate(submission({ value: 'y' }))).toBe('slow: no reason given')
  })

  it.each<[string, () => unknown, string]>([
    ['throws', () => raise('broken'), 'v failed: broken'],
    ['rejects', async () => raise('broken'), 'v failed: broken'],
    ['throws something that is not an error', () => raise(undefined), 'v failed: undefined'],
    ['returns nothing', () => undefined, 'v: it returned undefined, not true'],
    ['resolves to nothing', async () => undefined, 'v: it returned undefined, not true'],
    ['returns a reason', () => 'too long', 'v: too long']
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

  it('treats null as a value', () => {
    const nothing: RecordValidator = { validate: () => true, sign: () => null, strip: () => null }

    expect(compose(nothing).sign(some)).toBeNull()
    expect(compose({ validate: () => true }).strip(submission({ value: null }))).toBeNull()
  })

  it('flattens composed validators', () => {
    const all = compose(compose(marking('a'), marking('b', 5)), marking('c', 3))

    expect(all.validators.map(({ name }) => name)).toEqual(['b', 'c', 'a'])
  })

  it('counts a validator that is given twice once', () => {
    const marked = marking('!')

    expect(compose(marked, compose(marked)).sign(some)).toBe('!x')
  })

  it('merges validators that can be merged', () => {
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
  it('decodes the fields that validators read', () => {
    const entry = { expirationTime: 5, value: encodeValue([1, 'x']) }
    const place = submissionOf(recordKey(['a', 1]), subkeyId(ownerTag(ALICE)), entry)

    expect(place.key).toEqual(['a', 1])
    expect(place.subkey).toBe(ownerTag(ALICE))
    expect(place.value).toEqual([1, 'x'])
    expect(place.expirationTime).toBe(5)
    expect(place.owner).toBe(ALICE)
  })

  it('leaves absent fields undefined', () => {
    const { subkey, value, owner } = submissionOf(recordKey('a'), undefined, { expirationTime: 5 })

    expect([subkey, value, owner]).toEqual([undefined, undefined, undefined])
  })
})

describe('ownerValidator', () => {
  const validate = (validator: RecordValidator, differences: Partial<Submission>) =>
    validator.validate(submission({ value: 'x', ...differences }))

  it('requires places to be owned', () => {
    const validator = ownerValidator({ keys: [{ prefix: 'profile/' }, { key: 'party' }] })

    expect(validate(validator, { key: `profile/${ownerTag(ALICE)}` })).toBe(true)
    expect(validate(validator, { key: 'party', subkey: ownerTag(BOB) })).toBe(true)
    expect(validate(validator, { key: 'profile/alice' })).toMatch(/must be owned/)
    expect(validate(validator, { key: 'party', subkey: 'bob' })).toMatch(/must be owned/)
    expect(validate(validator, { key: 'elsewhere' })).toBe(true)
  })

  it('requires places to be owned by one of the given peers', () => {
    const validator = ownerValidator({ keys: [{ key: 'news' }], owners: [ALICE] })

    expect(validate(validator, { key: 'news', subkey: ownerTag(ALICE) })).toBe(true)
    expect(validate(validator, { key: 'news', subkey: ownerTag(BOB) })).toBe(
      `${BOB} may not write here`
    )
  })

  it('refuses peers that can own nothing, and invalid patterns', () => {
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
