import fc from 'fast-check'
import { float, type HivemindValue, tuple } from '../../src/msgpack/python-types.ts'

/** Everything that Hivemind can store. */
export const pythonValues: fc.Arbitrary<HivemindValue> = fc.letrec<{ value: HivemindValue }>(
  (tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.double().map(float),
      fc.integer({ min: -3, max: 3 }).map(float),
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      fc.uint8Array(),
      fc.array(tie('value')),
      fc.array(tie('value')).map((items) => tuple(...items)),
      fc.dictionary(fc.string(), tie('value')),
      fc
        .uniqueArray(fc.tuple(fc.uint8Array({ maxLength: 2 }), tie('value')), {
          selector: ([key]) => key.join(),
          minLength: 1
        })
        .map((entries) => new Map(entries))
    )
  })
).value
