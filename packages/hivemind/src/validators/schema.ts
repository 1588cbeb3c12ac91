import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Verdict } from '@waggle/record'
import { equals } from 'uint8arrays/equals'
import { textOf } from '../bytes/latin1.ts'
import { idOfKey } from '../keys/dht-id.ts'
import { decodeValue } from '../msgpack/msgpack-reader.ts'
import { encodeValue } from '../msgpack/msgpack-writer.ts'
import type { HivemindKey, HivemindValue } from '../msgpack/python-types.ts'
import type { HivemindSubmission, HivemindValidator } from './interface.ts'
import { NO_SUBKEY } from './interface.ts'

/** The schemas of one key. */
export interface HivemindSchemaRule {
  readonly key: HivemindKey

  /** Schema of the key's value, or of each subkey's value. Floats are `Float` objects. */
  readonly value: StandardSchemaV1

  /** Schema of subkeys. With it the key holds a dictionary, and without it a plain value. */
  readonly subkey?: StandardSchemaV1 | undefined
}

/** Options of `schemaValidator`. */
export interface HivemindSchemaOptions {
  /** The rules. Among several for one key, one that accepts is enough. */
  readonly rules: readonly HivemindSchemaRule[]

  /**
   * Whether keys without a rule may hold anything.
   *
   * @default true
   */
  readonly allowOtherKeys?: boolean | undefined
}

/**
 * Hivemind's SchemaValidator for any Standard Schema library (zod, valibot, arktype, …). Replicas know only the
 * hash of a key, so rules name whole keys. A schema that changes its input accepts nothing.
 *
 * @throws TypeError for invalid rules
 */
export function schemaValidator({
  rules,
  allowOtherKeys = true
}: HivemindSchemaOptions): HivemindValidator {
  if (!Array.isArray(rules)) {
    throw new TypeError('schemaValidator needs rules: an array of { key, value }, …')
  }

  const byPlace = Map.groupBy(rules.map(assertRule), ({ key }) => textOf(idOfKey(key)))
  return {
    name: 'schemaValidator',
    validate: async (submission) => {
      const about = byPlace.get(textOf(submission.key))
      return about === undefined
        ? allowOtherKeys || 'there is no schema for the key'
        : verdictOf(about, submission)
    }
  }
}

function assertRule(rule: HivemindSchemaRule, index: number): HivemindSchemaRule {
  for (const name of ['value', 'subkey'] as const) {
    const schema: unknown = Object(rule)[name]
    const isLeftOut = name === 'subkey' && schema === undefined

    if (!isLeftOut && typeof Object(Object(schema)['~standard']).validate !== 'function') {
      throw new TypeError(
        `rules[${index}]: ${name} must be a schema of Standard Schema, such as z.string()`
      )
    }
  }

  return rule
}

async function verdictOf(
  rules: readonly HivemindSchemaRule[],
  submission: HivemindSubmission
): Promise<Verdict> {
  const reasons: string[] = []

  for (const rule of rules) {
    const reason = await mismatchOf(rule, submission)

    if (reason === undefined) {
      return true
    }

    reasons.push(reason)
  }

  return reasons.join('; or ')
}

async function mismatchOf(
  { value: schema, subkey: subkeySchema }: HivemindSchemaRule,
  { subkey, value }: HivemindSubmission
): Promise<string | undefined> {
  const hasSubkey = !equals(subkey, NO_SUBKEY)

  if (hasSubkey !== (subkeySchema !== undefined)) {
    return hasSubkey
      ? 'the key holds a plain value, and no subkeys'
      : 'the key holds a dictionary: store each value with a subkey'
  }

  const subkeyReason = subkeySchema && (await mismatch(subkeySchema, subkey, 'subkey'))
  return subkeyReason ?? mismatch(schema, value, 'value')
}

async function mismatch(
  schema: StandardSchemaV1,
  bytes: Uint8Array,
  what: string
): Promise<string | undefined> {
  const value: HivemindValue = decodeValue(bytes, { exactFloats: true })
  const result = await schema['~standard'].validate(value)

  if (result.issues !== undefined) {
    return result.issues.map(({ message }) => `${what}: ${message}`).join(', ')
  }

  return isUnchanged(result.value, value) ? undefined : `the schema changes the ${what}`
}

function isUnchanged(output: unknown, value: HivemindValue): boolean {
  try {
    return output === value || equals(encodeValue(output), encodeValue(value))
  } catch {
    // The schema's output cannot be stored at all.
    return false
  }
}
