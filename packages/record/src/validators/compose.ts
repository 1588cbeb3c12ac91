import type { Value } from '../interface.ts'
import { isPromise, type MaybePromise, whenDone } from '../when-done.ts'
import type { RecordValidator, Submission, Verdict } from './interface.ts'

/** Several validators as one. */
export interface ComposedValidator extends RecordValidator {
  /** Those that are left when those that can have been merged, in the order in which they validate. */
  readonly validators: readonly RecordValidator[]
  sign(submission: Submission): MaybePromise<Value>
  strip(submission: Submission): MaybePromise<Value>
}

/** Lets somebody else bound the time that an answer may take. */
export type Patience = <T>(answer: PromiseLike<T>) => PromiseLike<T>

/**
 * One validator that accepts what all of these do; of those that merge, such as schema validators,
 * one is enough. The same one given twice counts once.
 */
export function compose(...validators: readonly RecordValidator[]): ComposedValidator {
  return new Composition(validators)
}

/**
 * Why the first of the validators that refuses something does so; undefined if none does. Comes
 * at once if all of them answer at once. Never throws or rejects.
 */
export function refusalOf(
  validators: readonly RecordValidator[],
  submission: Submission,
  patience: Patience = (answer) => answer
): MaybePromise<string | undefined> {
  const [first, ...others] = validators

  if (first === undefined) {
    return undefined
  }

  return whenDone(
    reasonOf(first, submission, patience),
    (reason) => reason ?? refusalOf(others, submission, patience)
  )
}

function reasonOf(
  validator: RecordValidator,
  submission: Submission,
  patience: Patience
): MaybePromise<string | undefined> {
  const refused = (verdict: unknown): string | undefined => reasonFor(validator, verdict)
  const failed = (error: unknown): string => `${nameOf(validator)} failed: ${messageOf(error)}`

  try {
    const verdict = validator.validate(submission)
    return isPromise(verdict) ? patience(verdict).then(refused, failed) : refused(verdict)
  } catch (error) {
    return failed(error)
  }
}

/** A validator that forgets to answer has not accepted anything. */
function reasonFor(validator: RecordValidator, verdict: unknown): string | undefined {
  if (verdict === true) {
    return undefined
  }

  const why =
    typeof verdict === 'string'
      ? verdict
      : verdict === false
        ? 'no reason given'
        : `it gave ${verdict}, not true`
  return `${nameOf(validator)}: ${why}`
}

class Composition implements ComposedValidator {
  readonly name = 'compose'
  readonly validators: readonly RecordValidator[]
  readonly #signers: readonly RecordValidator[]

  constructor(validators: readonly RecordValidator[]) {
    const all = validators.flatMap((one) => (one instanceof Composition ? one.validators : [one]))
    this.validators = [...new Set(all)]
      .reduce<readonly RecordValidator[]>(mergedInto, [])
      .toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0))
    this.#signers = this.validators.toReversed()
  }

  validate(submission: Submission): MaybePromise<Verdict> {
    return whenDone(refusalOf(this.validators, submission), (refusal) => refusal ?? true)
  }

  sign(submission: Submission): MaybePromise<Value> {
    return changed(this.#signers, 'sign', submission)
  }

  strip(submission: Submission): MaybePromise<Value> {
    return changed(this.validators, 'strip', submission)
  }
}

function mergedInto(
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

/** What becomes of the value when one after the other has changed it. */
function changed(
  [first, ...others]: readonly RecordValidator[],
  by: 'sign' | 'strip',
  submission: Submission
): MaybePromise<Value> {
  if (first === undefined) {
    return submission.value ?? null
  }

  const value = first[by] === undefined ? submission.value : first[by](submission)
  return whenDone(value ?? null, (next) => changed(others, by, withValue(submission, next)))
}

/** The same place with another value. */
function withValue({ key, subkey, expirationTime, owner }: Submission, value: Value): Submission {
  return { key, subkey, value, expirationTime, owner }
}

/** What messages call a validator. */
function nameOf(validator: RecordValidator): string {
  const className = validator.constructor?.name
  return validator.name || (className === 'Object' ? undefined : className) || 'a validator'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
