import type { DHTTime, Key, Subkey, Value } from '../interface.ts'
import type { MaybePromise } from '../when-done.ts'

/** One entry and where it goes, as validators see it. */
export interface Submission {
  readonly key: Key

  /** Its place in the dictionary; undefined: under the key itself. */
  readonly subkey: Subkey | undefined

  /** Undefined: a tombstone, which deletes. */
  readonly value: Value | undefined
  readonly expirationTime: DHTTime

  /** The peer to whom the place belongs, and who has signed this; undefined: nobody. */
  readonly owner: string | undefined
}

/** True accepts; false, or a string that says why, refuses. */
export type Verdict = boolean | string

/**
 * A rule of an application's own for what may be stored: Hivemind's RecordValidatorBase. Replicas
 * and readers that have it refuse what it refuses. What it throws refuses, too.
 */
export interface RecordValidator {
  /** For the messages that say who has refused something. */
  readonly name?: string | undefined

  /**
   * Of several validators the greatest validates and strips first, and signs last.
   *
   * @default 0
   */
  readonly priority?: number | undefined

  validate(submission: Submission): MaybePromise<Verdict>

  /** Changes a value before it is stored by this node, such as by adding a proof to it. */
  sign?(submission: Submission): MaybePromise<Value>

  /** Undoes what {@link sign} did, before the value is given to whoever reads it. */
  strip?(submission: Submission): MaybePromise<Value>

  /**
   * One validator in place of this and another one, which accepts what either does; undefined if
   * the two have nothing to do with each other, so that both must accept.
   */
  mergeWith?(other: RecordValidator): RecordValidator | undefined
}
