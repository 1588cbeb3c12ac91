import {
  type ComposedValidator,
  compose,
  type DHTRecord,
  type Entry,
  type MaybePromise,
  type RecordValidator,
  type SubkeyId,
  type Value
} from '@waggle/record'
import { isPromise, refusalOf, submissionOf, whenDone } from '@waggle/record/replica'
import { VALIDATOR_TIMEOUT_MS } from '../constants.ts'
import { inTime } from '../timing/in-time.ts'

/** The accepted part of a record, and the reasons for refusing the rest. */
export interface Received {
  readonly record: DHTRecord
  readonly refusals: readonly string[]
}

interface Placed {
  readonly id: SubkeyId | undefined
  readonly entry: Entry
}

/**
 * Applies the application's validators. Each entry is judged by itself, so a stranger's addition to a dictionary
 * affects no other subkey. Runs synchronously unless a validator returns a promise, and waits at most {@link
 * VALIDATOR_TIMEOUT_MS} for each validator.
 */
export class Validation {
  /** The validators, repeated for each caller that has added them. One applies until the last caller removes it. */
  #given: readonly RecordValidator[] = []
  #composed: ComposedValidator = compose()
  /** Entries that all validators have accepted. */
  #accepted = new WeakSet<Entry>()

  constructor(validators: readonly RecordValidator[]) {
    this.add(validators)
  }

  /** All validators as one. */
  get composed(): ComposedValidator {
    return this.#composed
  }

  /** Whether there is no validator, so that everything is accepted. */
  get isIdle(): boolean {
    return this.#composed.validators.length === 0
  }

  add(validators: readonly RecordValidator[]): void {
    this.#use([...this.#given, ...validators])
  }

  /** Removes validators, each as often as it is listed here. */
  remove(validators: readonly RecordValidator[]): void {
    const left = [...this.#given]

    for (const validator of validators) {
      const index = left.lastIndexOf(validator)

      if (index >= 0) {
        left.splice(index, 1)
      }
    }

    this.#use(left)
  }

  /** Removes refused entries. */
  filter(key: Uint8Array, record: DHTRecord): MaybePromise<Received> {
    if (this.isIdle) {
      return { record, refusals: NO_REFUSALS }
    }

    const places = placesOf(record)
    const verdicts = places.map((place) => this.#refusal(key, place))
    return whenDone(together(verdicts), (refusals) => withoutRefused(record, places, refusals))
  }

  /** Returns the value to store. */
  sign(key: Uint8Array, { id, entry }: Placed): MaybePromise<Value> {
    return this.#composed.sign(submissionOf(key, id, entry))
  }

  /** Returns the value for readers. */
  strip(key: Uint8Array, { id, entry }: Placed): MaybePromise<Value> {
    const value = this.#composed.strip(submissionOf(key, id, entry))
    return isPromise(value) ? patience(value) : value
  }

  /** Whether readers' values differ from the stored ones. */
  get isStripping(): boolean {
    return this.#composed.validators.some(({ strip }) => strip !== undefined)
  }

  /** Clears the accepted entries, because new validators judge them again. */
  #use(validators: readonly RecordValidator[]): void {
    this.#given = validators
    this.#composed = compose(...validators)
    this.#accepted = new WeakSet()
  }

  #refusal(key: Uint8Array, { id, entry }: Placed): MaybePromise<string | undefined> {
    if (this.#accepted.has(entry)) {
      return undefined
    }

    const accepted = this.#accepted
    const { validators } = this.#composed
    return whenDone(refusalOf(validators, submissionOf(key, id, entry), patience), (refusal) => {
      if (refusal === undefined) {
        accepted.add(entry)
      }

      return refusal
    })
  }
}

const NO_REFUSALS: readonly string[] = []

/** Lists all entries with their places. */
export function placesOf({ plain, subkeys }: DHTRecord): Placed[] {
  const places: Placed[] = Array.from(subkeys, ([id, entry]) => ({ id, entry }))
  return plain === undefined ? places : [{ id: undefined, entry: plain }, ...places]
}

function patience<T>(answer: PromiseLike<T>): Promise<T> {
  return inTime(Promise.resolve(answer), VALIDATOR_TIMEOUT_MS)
}

/** Returns the values at once if none of them is a promise. */
function together<T>(values: readonly MaybePromise<T>[]): MaybePromise<readonly T[]> {
  return values.some(isPromise) ? Promise.all(values) : (values as readonly T[])
}

function withoutRefused(
  record: DHTRecord,
  places: readonly Placed[],
  verdicts: readonly (string | undefined)[]
): Received {
  const refusals = verdicts.filter((verdict) => verdict !== undefined)

  if (refusals.length === 0) {
    return { record, refusals: NO_REFUSALS }
  }

  const kept = places.filter((_, i) => verdicts[i] === undefined)
  const subkeys = new Map<SubkeyId, Entry>()
  let plain: Entry | undefined

  for (const { id, entry } of kept) {
    if (id === undefined) {
      plain = entry
    } else {
      subkeys.set(id, entry)
    }
  }

  return { record: { ...(plain && { plain }), subkeys }, refusals }
}
