import type {
  DHTRecord,
  DHTTime,
  Found,
  MaybePromise,
  Subkey,
  SubkeyId,
  Value
} from '@waggle/record'
import { encodeValue, isPromise, project, UNLIMITED, whenDone } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { foundOf, placesOf } from '../live/found-places.ts'
import { type FoundPlace, type FoundPlaces, PLAIN, type SubkeyName } from '../live/places.ts'
import { changesTo, type State } from '../live/state.ts'
import type { RecordChecks } from '../store/record-checks.ts'
import { isSameShown, NOTHING_SHOWN, type Shown } from './shown.ts'

/** A key whose present view is known. */
export interface Watched {
  readonly key: Uint8Array

  /** The record as far as it is known; more may be known in a moment. */
  readonly record: DHTRecord

  /** Whether so much is known that the first value can be delivered. */
  readonly isSettled: boolean

  /** The entries that a reader sees at this moment. */
  shownAt(now: DHTTime): Shown
}

export interface KeyStatesInit {
  readonly watched: Watched

  /** The only subkey that readers see. @default they see the whole key */
  readonly subkey?: SubkeyId | undefined
  readonly clock: () => DHTTime
  readonly checks: Pick<RecordChecks, 'show' | 'validators'>
}

type KeyPlace = FoundPlace<Subkey | undefined, Value>
type KeyPlaces = FoundPlaces<Subkey | undefined, Value>
export type KeyState = State<Found | undefined, Subkey | undefined, Value>

/** What a state is made of. The same gives the same state. */
interface Source {
  readonly shown: Shown

  /** Stands for the validators, which may change the values. */
  readonly validators: object
}

/** A state, and what it was made of. */
export interface SeenState extends KeyState {
  readonly source: Source
}

/**
 * The states of a watched key, as its readers see it. Each is made once, with what has changed, for all readers, so
 * that a change costs each of many readers next to nothing.
 */
export class KeyStates {
  readonly #init: KeyStatesInit

  /** The last state that was made. */
  #last: SeenState | undefined

  /** What was made last, or is being made. */
  #making: { readonly source: Source; readonly state: MaybePromise<SeenState> } | undefined

  constructor(init: KeyStatesInit) {
    this.#init = init
  }

  /**
   * Returns the present state for a reader who had another one before: the same one if it sees no difference. Undefined:
   * too little is known yet.
   */
  after(before: SeenState | undefined): MaybePromise<SeenState | undefined> {
    const { clock, subkey, watched } = this.#init

    if (!watched.isSettled) {
      return undefined
    }

    const shown = seenOf(watched.shownAt(clock()), subkey)
    return whenDone(this.#present(shown), (state) => fitting(state, before))
  }

  #present(shown: Shown): MaybePromise<SeenState> {
    const source = { shown, validators: this.#init.checks.validators }
    const made = this.#making

    if (made !== undefined && isSameSource(source, made.source)) {
      return made.state
    }

    const making = { source, state: this.#make(source) }
    this.#making = making

    if (isPromise(making.state)) {
      this.#keep(making, making.state)
    } else {
      this.#last = making.state
    }

    return making.state
  }

  /** Takes note of a state that is made later, unless another has been begun. One that failed is made again. */
  #keep(making: unknown, promise: PromiseLike<SeenState>): void {
    promise.then(
      (state) => {
        if (making === this.#making) {
          this.#last = state
        }
      },
      () => {
        if (making === this.#making) {
          this.#making = undefined
        }
      }
    )
  }

  #make(source: Source): MaybePromise<SeenState> {
    const { checks, clock, subkey, watched } = this.#init
    const { record } = watched
    const seen = subkey === undefined ? record : { subkeys: project(record, [subkey]).subkeys }
    return whenDone(checks.show(watched.key, seen), (found) => {
      const before = this.#last
      const places = placesOf(found)
      const state = stateOf(before === undefined ? places : reused(places, source, before), source)
      return before === undefined
        ? state
        : {
            ...state,
            step: { from: before.places, changes: changesTo(state, before.places, clock) }
          }
    })
  }
}

/** Returns a state as it is for a reader who had another one before. */
function fitting(state: SeenState, before: SeenState | undefined): SeenState {
  if (before === undefined || before === state || before.places === state.step?.from) {
    return state
  }

  return isSameSource(state.source, before.source) ? before : rebased(state, before)
}

function isSameSource(a: Source, b: Source): boolean {
  return a.validators === b.validators && isSameShown(a.shown, b.shown)
}

function stateOf(places: KeyPlaces, source: Source): SeenState {
  return { current: foundOf(places), places, source }
}

/** Returns a state with what a reader had before; the same one if it differs in nothing that the reader had. */
function rebased(state: SeenState, before: SeenState): SeenState {
  const places = reused(state.places, state.source, before)
  const isSame = [...places].every(([name, place]) => place === state.places.get(name))
  return isSame ? state : stateOf(places, state.source)
}

/**
 * Returns places as they were before, as far as they are as they were: the same object, or at least with the same value.
 */
function reused(places: KeyPlaces, source: Source, before: SeenState): KeyPlaces {
  const isSame =
    source.validators === before.source.validators
      ? (name: SubkeyName) => isSameEntry(name, source.shown, before.source.shown)
      : (name: SubkeyName) => isSameValue(places.get(name), before.places.get(name))
  return new Map(
    Array.from(places, ([name, now]) => {
      const earlier = before.places.get(name)
      return [name, earlier !== undefined && isSame(name) ? renewed(earlier, now) : now]
    })
  )
}

function renewed(before: KeyPlace, now: KeyPlace): KeyPlace {
  if (before.found.expirationTime === now.found.expirationTime) {
    return before
  }

  const { value } = before.found
  return value === now.found.value ? now : { ...now, found: { ...now.found, value } }
}

/** Picks a reader's view of one subkey: never a plain value. */
function seenOf(shown: Shown, subkey: SubkeyId | undefined): Shown {
  if (subkey === undefined) {
    return shown
  }

  const entry = shown.get(subkey)
  return entry === undefined ? NOTHING_SHOWN : new Map([[subkey, entry]])
}

function isSameEntry(name: SubkeyName, a: Shown, b: Shown): boolean {
  const id = name === PLAIN ? undefined : name
  return isSame(a.get(id)?.value, b.get(id)?.value)
}

/** Other validators may have made other values of the same entries. */
function isSameValue(a: KeyPlace | undefined, b: KeyPlace | undefined): boolean {
  return a?.found.value === b?.found.value || isSame(bytesOf(a), bytesOf(b))
}

function bytesOf(place: KeyPlace | undefined): Uint8Array | undefined {
  return place && encodeValue(place.found.value, UNLIMITED)
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a && b ? equals(a, b) : false)
}
