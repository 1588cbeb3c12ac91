import type { Value } from '../values/value.ts'
import type { Submission } from './submission.ts'
import type { MaybePromise } from './when-done.ts'

/** True accepts. False, or a string with the reason, refuses. */
export type Verdict = boolean | string

/**
 * An application's own rule for what may be stored, as Hivemind's RecordValidatorBase. Replicas and
 * readers that have the validator refuse what it refuses. A validator that throws refuses, too.
 */
export interface RecordValidator {
  /** The name that messages give for the validator. */
  readonly name?: string | undefined

  /**
   * Of several validators, the one with the greatest priority validates and strips first, and signs
   * last.
   *
   * @default 0
   */
  readonly priority?: number | undefined

  /** Accepts or refuses one entry. */
  validate(submission: Submission): MaybePromise<Verdict>

  /** Changes a value before this node stores it, such as by adding a proof to it. */
  sign?(submission: Submission): MaybePromise<Value>

  /** Undoes {@link sign} before a reader gets the value. */
  strip?(submission: Submission): MaybePromise<Value>

  /**
   * Merges this validator with another one into one that accepts what either accepts. Returns
   * undefined if the two are unrelated, so that both must accept.
   */
  mergeWith?(other: RecordValidator): RecordValidator | undefined
}
