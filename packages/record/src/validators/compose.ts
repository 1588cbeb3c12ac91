import { assertMethod, type Check } from '../argument-checks.ts'
import type { Value } from '../values/value.ts'
import type { RecordValidator, Verdict } from './record-validator.ts'
import type { Submission } from './submission.ts'
import { isPromise, type MaybePromise, whenDone } from './when-done.ts'

/** Checks that the option is a validator. */
export const assertValidator: Check = assertMethod(
  'validate',
  'a RecordValidator: an object with validate()'
)

/** Several validators as one. */
export interface ComposedValidator extends RecordValidator {
  /** The validators after merging, in the order in which they validate. */
  readonly validators: readonly RecordValidator[]
  sign(submission: Submission): MaybePromise<Value>
  strip(submission: Submission): MaybePromise<Value>
}

/** Limits the time that a validator may take: returns a promise that rejects when it is over. */
export type WithTimeout = <T>(verdict: PromiseLike<T>) => PromiseLike<T>

/**
 * Combines validators into one that accepts what all of them accept. Of those that merge, such as
 * schema validators, one has to accept. A validator that is given twice counts once.
 */
export function compose(...validators: readonly RecordValidator[]): ComposedValidator {
  for (const [index, validator] of validators.entries()) {
    assertValidator(validator, `validators[${index}]`)
  }

  return new Composition(validators)
}

/**
 * Finds the reason of the first validator that refuses a submission; undefined if none does. Returns
 * it synchronously if all validators do. Never throws or rejects.
 */
export function refusalOf(
  validators: readonly RecordValidator[],
  submission: Submission,
  withTimeout: WithTimeout = (verdict) => verdict
): MaybePromise<string | undefined> {
  const [first, ...others] = validators

  if (first === undefined) {
    return undefined
  }

  return whenDone(
    reasonOf(first, submission, withTimeout),
    (reason) => reason ?? refusalOf(others, submission, withTimeout)
  )
}

function reasonOf(
  validator: RecordValidator,
  submission: Submission,
  withTimeout: WithTimeout
): MaybePromise<string | undefined> {
  const judge = (verdict: unknown): string | undefined => reasonFor(validator, verdict)
  const fail = (error: unknown): string => `${validatorName(validator)} failed: ${messageOf(error)}`

  try {
    const verdict = validator.validate(submission)
    return isPromise(verdict) ? withTimeout(verdict).then(judge, fail) : judge(verdict)
  } catch (error) {
    return fail(error)
  }
}

/** The reason in a verdict. A validator that returns nothing has not accepted anything. */
function reasonFor(validator: RecordValidator, verdict: unknown): string | undefined {
  if (verdict === true) {
    return undefined
  }

  const why =
    typeof verdict === 'string'
      ? verdict
      : verdict === false
        ? 'no reason given'
        : `it returned ${verdict}, not true`
  return `${validatorName(validator)}: ${why}`
}

class Composition implements ComposedValidator {
  readonly name = 'compose'
  readonly validators: readonly RecordValidator[]
  readonly #signers: readonly RecordValidator[]

  constructor(validators: readonly RecordValidator[]) {
    const all = validators.flatMap((one) => (one instanceof Composition ? one.validators : [one]))
    this.validators = [...new Set(all)]
      .reduce<readonly RecordValidator[]>(mergeInto, [])
      .toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0))
    this.#signers = this.validators.toReversed()
  }

  validate(submission: Submission): MaybePromise<Verdict> {
    return whenDone(refusalOf(this.validators, submission), (refusal) => refusal ?? true)
  }

  sign(submission: Submission): MaybePromise<Value> {
    return transform(this.#signers, 'sign', submission)
  }

  strip(submission: Submission): MaybePromise<Value> {
    return transform(this.validators, 'strip', submission)
  }
}

/** Merges a validator into the first that can take it, or adds it. */
function mergeInto(
  validators: readonly RecordValidator[],
  added: RecordValidator
): readonly RecordValidator[] {
  for (const [i, validator] of validators.entries()) {
    const merged = validator.mergeWith?.(added)

    if (merged !== undefined) {
      return validators.with(i, merged)
    }
  }

  return [...validators, added]
}

/** Passes the value through each validator in turn. */
function transform(
  [first, ...others]: readonly RecordValidator[],
  by: 'sign' | 'strip',
  submission: Submission
): MaybePromise<Value> {
  if (first === undefined) {
    return submission.value ?? null
  }

  const value = first[by] === undefined ? submission.value : first[by](submission)
  return whenDone(value ?? null, (next) => transform(others, by, withValue(submission, next)))
}

/** A submission to the same place with another value. */
function withValue({ key, subkey, expirationTime, owner }: Submission, value: Value): Submission {
  return { key, subkey, value, expirationTime, owner }
}

/** The name of a validator in messages. */
function validatorName(validator: RecordValidator): string {
  const className = validator.constructor?.name
  return validator.name || (className === 'Object' ? undefined : className) || 'a validator'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
