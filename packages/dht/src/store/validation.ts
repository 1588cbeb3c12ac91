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

/** What is left of a record, and why the rest of it is not. */
export interface Received {
  readonly record: DHTRecord
  readonly refusals: readonly string[]
}

interface Placed {
  readonly id: SubkeyId | undefined
  readonly entry: Entry
}

/**
 * The application's own rules. Each entry is judged by itself, so that what a stranger adds to a
 * dictionary costs nobody else's subkeys. Nothing waits that need not, and none waits longer than
 * {@link VALIDATOR_TIMEOUT_MS} for one validator.
 */
export class Validation {
  /** Those that several have given are in it several times: they count until the last of these takes his back. */
  #given: readonly RecordValidator[] = []
  #composed: ComposedValidator = compose()
  /** What all of the validators have accepted. */
  #accepted = new WeakSet<Entry>()

  constructor(validators: readonly RecordValidator[]) {
    this.add(validators)
  }

  /** Whether everything is accepted, because there is no validator. */
  get isIdle(): boolean {
    return this.#composed.validators.length === 0
  }

  add(validators: readonly RecordValidator[]): void {
    this.#use([...this.#given, ...validators])
  }

  /** Takes back what was added, each as often as it is named here. */
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

  /** Leaves out what is refused. */
  filter(key: Uint8Array, record: DHTRecord): MaybePromise<Received> {
    if (this.isIdle) {
      return { record, refusals: NONE }
    }

    const places = placesOf(record)
    const verdicts = places.map((place) => this.#refusal(key, place))
    return whenDone(together(verdicts), (refusals) => without(record, places, refusals))
  }

  /** The value as it is to be stored. */
  signed(key: Uint8Array, { id, entry }: Placed): MaybePromise<Value> {
    return this.#composed.sign(submissionOf(key, id, entry))
  }

  /** The value as readers see it. */
  stripped(key: Uint8Array, { id, entry }: Placed): MaybePromise<Value> {
    const value = this.#composed.strip(submissionOf(key, id, entry))
    return isPromise(value) ? patience(value) : value
  }

  /** Whether readers see something else than what is stored. */
  get isStripping(): boolean {
    return this.#composed.validators.some(({ strip }) => strip !== undefined)
  }

  /** What was accepted before has to be judged again. */
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

const NONE: readonly string[] = []

/** All entries with their places. */
export function placesOf({ plain, subkeys }: DHTRecord): Placed[] {
  const places: Placed[] = Array.from(subkeys, ([id, entry]) => ({ id, entry }))
  return plain === undefined ? places : [{ id: undefined, entry: plain }, ...places]
}

function patience<T>(answer: PromiseLike<T>): Promise<T> {
  return inTime(Promise.resolve(answer), VALIDATOR_TIMEOUT_MS)
}

/** At once, if none of them is to be waited for. */
function together<T>(values: readonly MaybePromise<T>[]): MaybePromise<readonly T[]> {
  return values.some(isPromise) ? Promise.all(values) : (values as readonly T[])
}

function without(
  record: DHTRecord,
  places: readonly Placed[],
  verdicts: readonly (string | undefined)[]
): Received {
  const refusals = verdicts.filter((verdict) => verdict !== undefined)

  if (refusals.length === 0) {
    return { record, refusals: NONE }
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
