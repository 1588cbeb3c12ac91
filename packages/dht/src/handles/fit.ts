import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type MaybePromise, ValidationError } from '@waggle/record'
import { isPromise, issuesText, whenDone } from '@waggle/record/replica'

/** A value's output by a schema, or the issues if it does not fit. */
export type Fit<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaV1.Issue[] }

/** Checks a value. A schema that throws does not accept it. */
export function fit<T>(schema: StandardSchemaV1<unknown, T>, value: unknown): MaybePromise<Fit<T>> {
  const fail = (error: unknown): Fit<T> => ({
    issues: [{ message: `the schema failed: ${error}` }]
  })

  try {
    const result = schema['~standard'].validate(value)
    return isPromise(result) ? result.then((fit) => fit, fail) : result
  } catch (error) {
    return fail(error)
  }
}

/** @throws ValidationError, or rejects with it, if a value does not fit */
export function assertFit(
  schema: StandardSchemaV1,
  value: unknown,
  what: 'subkey' | 'value'
): MaybePromise<void> {
  return whenDone(fit(schema, value), ({ issues }) => {
    if (issues !== undefined) {
      throw new ValidationError(issuesText(issues, what))
    }
  })
}
