import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { idOfKey } from '../../src/keys/dht-id.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { Float, float, type HivemindKey } from '../../src/msgpack/python-types.ts'
import { NO_SUBKEY } from '../../src/validators/interface.ts'
import { schemaValidator } from '../../src/validators/schema.ts'
import { vectors } from '../support/vectors.ts'

/** The schema of the vectors. Like pydantic, it checks types strictly. */
const strict = schemaValidator({
  rules: [
    { key: 'raw', value: z.instanceof(Uint8Array) },
    { key: 'count', value: z.int().min(0) },
    { key: 'loss', value: z.instanceof(Float) },
    { key: 'names', subkey: z.instanceof(Uint8Array), value: z.string() }
  ],
  allowOtherKeys: false
})

async function isAccepted(
  key: HivemindKey,
  value: unknown,
  subkey?: HivemindKey
): Promise<boolean> {
  const verdict = await strict.validate?.({
    key: idOfKey(key),
    subkey: subkey === undefined ? NO_SUBKEY : encodeValue(subkey),
    value: encodeValue(value),
    expirationTime: 1
  })
  return verdict === true
}

describe('schemaValidator', () => {
  const bytes = Uint8Array.of(1)
  const answers = vectors.rsa.results['schema validator']

  it.each<[name: string, key: string, value: unknown, subkey?: HivemindKey]>([
    ['bytes', 'raw', bytes],
    ['strForBytes', 'raw', 'text'],
    ['int', 'count', 3],
    ['floatForInt', 'count', float(3)],
    ['negative', 'count', -1],
    ['strSubkey', 'names', 'x', 'text'],
    ['plainForDict', 'names', 'x'],
    ['mapForDict', 'names', { a: 'x' }],
    ['float', 'loss', 1.5],
    ['integralAsInt', 'loss', 1],
    ['integralAsFloat', 'loss', float(1)],
    ['extraKey', 'other', 1]
  ])('answers as Python does: %s', async (name, key, value, subkey) => {
    expect(await isAccepted(key, value, subkey)).toBe(answers[name])
  })

  it('accepts a subkey and a value that fit', async () => {
    expect(await isAccepted('names', 'x', bytes)).toBe(true)
  })

  it('refuses what the schema would change', async () => {
    const converting = schemaValidator({ rules: [{ key: 'a', value: z.coerce.string() }] })
    const submission = { key: idOfKey('a'), subkey: NO_SUBKEY, value: encodeValue(1) }
    expect(await converting.validate?.({ ...submission, expirationTime: 1 })).toMatch(/changes/)
  })

  it('accepts other keys unless told otherwise', async () => {
    const lenient = schemaValidator({ rules: [{ key: 'a', value: z.string() }] })
    const submission = { key: idOfKey('b'), subkey: NO_SUBKEY, value: encodeValue(1) }
    expect(await lenient.validate?.({ ...submission, expirationTime: 1 })).toBe(true)
  })

  it('accepts what one of several rules for a key accepts', async () => {
    const rules = [z.string(), z.int()].map((value) => ({ key: 'a', value }))
    const submission = { key: idOfKey('a'), subkey: NO_SUBKEY, value: encodeValue(1) }
    expect(await schemaValidator({ rules }).validate?.({ ...submission, expirationTime: 1 })).toBe(
      true
    )
  })

  it('refuses rules without a schema', () => {
    expect(() => schemaValidator({ rules: [{ key: 'a' }] as never })).toThrow(/rules\[0\]: value/)
  })
})
