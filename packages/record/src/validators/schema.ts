import type { StandardSchemaV1 } from '@standard-schema/spec'
import { equals } from 'uint8arrays/equals'
import { written } from '../cbor-writer.ts'
import type { Key, Value } from '../interface.ts'
import { writeValue } from '../value-writer.ts'
import { type MaybePromise, whenDone } from '../when-done.ts'
import type { RecordValidator, Submission, Verdict } from './interface.ts'
import { type KeyPattern, keyMatcher } from './key-pattern.ts'

/** What may be stored under some keys. */
export type SchemaRule = KeyPattern & {
  /** What values have to be: of the key itself, or of each subkey. */
  readonly value: StandardSchemaV1

  /** What subkeys have to be. With it the keys hold dictionaries, and without it plain values. */
  readonly subkey?: StandardSchemaV1 | undefined
}

/** How `schemaValidator` is told what may be stored. */
export interface SchemaValidatorOptions {
  /** Where several are about a key, what one of them accepts is accepted. */
  readonly rules: readonly SchemaRule[]

  /**
   * Whether keys that no rule is about may hold anything.
   *
   * @default true
   */
  readonly allowOtherKeys?: boolean | undefined
}

/**
 * Accepts what schemas of any library of Standard Schema describe (zod, valibot, arktype, …).
 * A schema that gives something else than it was given accepts nothing: what is stored is what
 * everybody reads. Deletions are accepted wherever a rule has room for the place. Several merge:
 * what one of them accepts is accepted.
 *
 * @throws TypeError naming what is wrong with a rule
 */
export function schemaValidator(options: SchemaValidatorOptions): RecordValidator {
  const { rules, allowOtherKeys = true } = Object(options) as SchemaValidatorOptions

  if (!Array.isArray(rules)) {
    throw new TypeError('schemaValidator needs rules: an array of { key, value }, …')
  }

  return new SchemaValidator(rules.map(readyRule), allowOtherKeys)
}

interface ReadyRule {
  readonly isAbout: (key: Key) => boolean
  readonly value: StandardSchemaV1
  readonly subkey: StandardSchemaV1 | undefined
}

class SchemaValidator implements RecordValidator {
  readonly name = 'schemaValidator'
  readonly #rules: readonly ReadyRule[]
  readonly #allowOtherKeys: boolean

  constructor(rules: readonly ReadyRule[], allowOtherKeys: boolean) {
    this.#rules = rules
    this.#allowOtherKeys = allowOtherKeys
  }

  validate(submission: Submission): MaybePromise<Verdict> {
    const { key } = submission
    const rules = this.#rules.filter(({ isAbout }) => isAbout(key))

    if (rules.length === 0) {
      return this.#allowOtherKeys || 'there is no schema for the key'
    }

    return whenDone(reasonsOf(rules, submission), (reasons) =>
      reasons === undefined ? true : reasons.join('; or ')
    )
  }

  mergeWith(other: RecordValidator): RecordValidator | undefined {
    return other instanceof SchemaValidator
      ? new SchemaValidator(
          [...this.#rules, ...other.#rules],
          this.#allowOtherKeys || other.#allowOtherKeys
        )
      : undefined
  }
}

function readyRule(rule: SchemaRule, index: number): ReadyRule {
  try {
    const { value, subkey } = rule
    assertSchema(value, 'value')

    if (subkey !== undefined) {
      assertSchema(subkey, 'subkey')
    }

    return { isAbout: keyMatcher(rule), value, subkey }
  } catch (cause) {
    throw new TypeError(`rules[${index}]: ${(cause as Error).message}`, { cause })
  }
}

function assertSchema(schema: unknown, name: string): void {
  if (typeof Object(schema)['~standard']?.validate !== 'function') {
    throw new TypeError(`${name} must be a schema of Standard Schema, such as z.string()`)
  }
}

/** Why each of the rules refuses it; undefined if one of them does not. */
function reasonsOf(
  [first, ...others]: readonly ReadyRule[],
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
  rule: ReadyRule,
  { subkey, value }: Submission
): MaybePromise<string | undefined> {
  if (rule.subkey === undefined) {
    return subkey === undefined
      ? valueReason(rule, value)
      : 'the key holds a plain value, and no subkeys'
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
  { value: schema }: ReadyRule,
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
      return result.issues.map((issue) => `${pathOf(issue, what)}: ${issue.message}`).join(', ')
    }

    return isSame(result.value, value)
      ? undefined
      : `the schema changes the ${what}: one that converts, fills in or leaves out anything can't be used here`
  })
}

function pathOf({ path = [] }: StandardSchemaV1.Issue, what: string): string {
  return [what, ...path.map((step) => String(typeof step === 'object' ? step.key : step))].join('.')
}

function isSame(output: unknown, value: Value): boolean {
  try {
    return output === value || equals(bytesOf(output), bytesOf(value))
  } catch {
    // It can't be stored at all.
    return false
  }
}

function bytesOf(value: unknown): Uint8Array {
  return written((to) => writeValue(to, value, 'value'))
}
