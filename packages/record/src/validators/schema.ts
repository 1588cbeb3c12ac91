import type { StandardSchemaV1 } from '@standard-schema/spec'
import { equals } from 'uint8arrays/equals'
import { assertBoolean, assertOptions, assertThat, type OptionTable } from '../argument-checks.ts'
import { writeBytes } from '../cbor/writer.ts'
import type { Key, Value } from '../values/value.ts'
import { writeValue } from '../values/value-writer.ts'
import { KEY_PATTERN, type KeyPattern, keyMatcher } from './key-pattern.ts'
import type { RecordValidator, Verdict } from './record-validator.ts'
import type { Submission } from './submission.ts'
import { type MaybePromise, whenDone } from './when-done.ts'

/** Begins each key of a sealed view. */
export const SEALED = 'sealed'

/** The schemas of some keys. */
export type SchemaRule = KeyPattern & {
  /** The schema of values: of the plain value, or of the value under each subkey. */
  readonly value: StandardSchemaV1

  /** The schema of subkeys. If given, the keys hold dictionaries; otherwise they hold plain values. */
  readonly subkey?: StandardSchemaV1 | undefined
}

/** Options of {@link schemaValidator}. */
export interface SchemaValidatorOptions {
  /** If several rules match a key, one of them has to accept. */
  readonly rules: readonly SchemaRule[]

  /**
   * Whether keys that no rule matches may hold anything.
   *
   * @default true
   */
  readonly allowOtherKeys?: boolean | undefined

  /**
   * Whether keys of sealed views may hold anything, although no rule matches them. Only members can judge their
   * content.
   *
   * @default allowOtherKeys
   */
  readonly allowSealed?: boolean | undefined
}

/**
 * Accepts values that fit a schema of any Standard Schema library (zod, valibot, arktype, …).
 *
 * A schema that changes its input accepts nothing, because readers get the value as it was stored.
 * Deletions are accepted wherever a rule allows the place. Several schema validators merge: one of
 * them has to accept.
 *
 * @throws TypeError naming the fault in a rule
 */
export function schemaValidator(options: SchemaValidatorOptions): RecordValidator {
  assertOptions('schemaValidator', options, OPTIONS)
  const { rules, allowOtherKeys = true, allowSealed = allowOtherKeys } = options
  assertThat(Array.isArray(rules), 'rules', 'an array of { key, value }, …', rules)
  return new SchemaValidator(rules.map(parseRule), { allowOtherKeys, allowSealed })
}

const OPTIONS: OptionTable<SchemaValidatorOptions> = {
  rules: {},
  allowOtherKeys: { assert: assertBoolean },
  allowSealed: { assert: assertBoolean }
}
const RULE: OptionTable = { ...KEY_PATTERN, value: {}, subkey: {} }

interface ParsedRule {
  readonly matches: (key: Key) => boolean
  readonly value: StandardSchemaV1
  readonly subkey: StandardSchemaV1 | undefined
}

/** Whether keys that no rule matches may hold anything. */
interface OtherKeys {
  readonly allowOtherKeys: boolean
  readonly allowSealed: boolean
}

/** Whether a key is one of a sealed view: these begin with this word. */
function isSealed(key: Key): boolean {
  return Array.isArray(key) && key[0] === SEALED
}

class SchemaValidator implements RecordValidator {
  readonly name = 'schemaValidator'
  readonly #rules: readonly ParsedRule[]
  readonly #others: OtherKeys

  constructor(rules: readonly ParsedRule[], others: OtherKeys) {
    this.#rules = rules
    this.#others = others
  }

  validate(submission: Submission): MaybePromise<Verdict> {
    const { key } = submission
    const rules = this.#rules.filter(({ matches }) => matches(key))

    if (rules.length === 0) {
      const { allowOtherKeys, allowSealed } = this.#others
      return (isSealed(key) ? allowSealed : allowOtherKeys) || 'no schema matches the key'
    }

    return whenDone(reasonsOf(rules, submission), (reasons) =>
      reasons === undefined ? true : reasons.join('; or ')
    )
  }

  mergeWith(other: RecordValidator): RecordValidator | undefined {
    return other instanceof SchemaValidator
      ? new SchemaValidator([...this.#rules, ...other.#rules], {
          allowOtherKeys: this.#others.allowOtherKeys || other.#others.allowOtherKeys,
          allowSealed: this.#others.allowSealed || other.#others.allowSealed
        })
      : undefined
  }
}

function parseRule(rule: SchemaRule, index: number): ParsedRule {
  try {
    assertOptions('a rule', rule, RULE)
    const { value, subkey } = rule
    assertSchema(value, 'value')

    if (subkey !== undefined) {
      assertSchema(subkey, 'subkey')
    }

    return { matches: keyMatcher(rule), value, subkey }
  } catch (cause) {
    throw new TypeError(`rules[${index}]: ${(cause as Error).message}`, { cause })
  }
}

/** @throws TypeError for anything but a Standard Schema */
export function assertSchema(schema: unknown, name: string): void {
  if (typeof Object(schema)['~standard']?.validate !== 'function') {
    throw new TypeError(`${name} must be a Standard Schema, such as z.string()`)
  }
}

/** The reasons why each rule refuses a submission; undefined if one accepts. */
function reasonsOf(
  [first, ...others]: readonly ParsedRule[],
  submission: Submission,
  reasons: readonly string[] = []
): MaybePromise<readonly string[] | undefined> {
  if (first === undefined) {
    return reasons
  }

  return whenDone(reasonOf(first, submission), (reason) =>
    reason === undefined ? undefined : reasonsOf(others, submission, [...reasons, reason])
  )
}

function reasonOf(
  rule: ParsedRule,
  { subkey, value }: Submission
): MaybePromise<string | undefined> {
  if (rule.subkey === undefined) {
    return subkey === undefined
      ? valueReason(rule, value)
      : 'the key holds a plain value, not subkeys'
  }

  if (subkey === undefined) {
    return 'the key holds a dictionary: store each value with a subkey'
  }

  return whenDone(
    mismatch(rule.subkey, subkey, 'subkey'),
    (reason) => reason ?? valueReason(rule, value)
  )
}

function valueReason(
  { value: schema }: ParsedRule,
  value: Value | undefined
): MaybePromise<string | undefined> {
  return value === undefined ? undefined : mismatch(schema, value, 'value')
}

function mismatch(
  schema: StandardSchemaV1,
  value: Value,
  what: 'subkey' | 'value'
): MaybePromise<string | undefined> {
  return whenDone(schema['~standard'].validate(value), (result) => {
    if (result.issues !== undefined) {
      return issuesText(result.issues, what)
    }

    return isSame(result.value, value)
      ? undefined
      : `the schema changes the ${what}: schemas that convert values, add defaults or drop properties can't be used here`
  })
}

/** Describes what does not fit a schema in one line. */
export function issuesText(issues: readonly StandardSchemaV1.Issue[], what: string): string {
  return issues.map((issue) => `${pathOf(issue, what)}: ${issue.message}`).join(', ')
}

/** Names the place of an issue. arktype's path is an array of its own class, which `map` would create with one element. */
function pathOf({ path = [] }: StandardSchemaV1.Issue, what: string): string {
  return [
    what,
    ...Array.from(path, (step) => String(typeof step === 'object' ? step.key : step))
  ].join('.')
}

function isSame(output: unknown, value: Value): boolean {
  try {
    return output === value || equals(bytesOf(output), bytesOf(value))
  } catch {
    // The output can't be stored at all.
    return false
  }
}

function bytesOf(value: unknown): Uint8Array {
  return writeBytes((to) => writeValue(to, value, 'value'))
}
