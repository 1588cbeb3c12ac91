import type {
  DHTRecord,
  DHTTime,
  Entry,
  Found,
  MaybePromise,
  Subkey,
  SubkeyId,
  Value
} from '@waggle/record'
import { isPromise, project, whenDone } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { foundOf, placesOf } from '../live/found-places.ts'
import { type FoundPlace, type FoundPlaces, PLAIN } from '../live/places.ts'
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

/** A state, and the entries that it was made of. */
export interface SeenState extends KeyState {
  readonly shown: Shown
}

/** What a state is made of. The same gives the same state. */
interface Source {
  readonly shown: Shown
  readonly validators: unknown
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
  #making: (Source & { readonly state: MaybePromise<SeenState> }) | undefined

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
    const { validators } = this.#init.checks
    const made = this.#making

    if (made?.validators === validators && isSameShown(shown, made.shown)) {
      return made.state
    }

    const making = { shown, validators, state: this.#make(shown) }
    this.#making = making

    if (isPromise(making.state)) {
      this.#keep(making, making.state)
    } else {
      this.#last = making.state
    }

    return making.state
  }

  /** Takes note of a state that is made later, unless another has been begun. One that failed is made again. */
  #keep(making: Source, promise: PromiseLike<SeenState>): void {
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

  #make(shown: Shown): MaybePromise<SeenState> {
    const { checks, clock, subkey, watched } = this.#init
    const { record } = watched
    const seen = subkey === undefined ? record : { subkeys: project(record, [subkey]).subkeys }
    return whenDone(checks.show(watched.key, seen), (found) => {
      const before = this.#last
      const places = placesOf(found)
      const state = stateOf(before === undefined ? places : reused(places, shown, before), shown)
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

  return isSameShown(state.shown, before.shown) ? before : rebased(state, before)
}

function stateOf(places: KeyPlaces, shown: Shown): SeenState {
  return { current: foundOf(places), places, shown }
}

/** Returns a state with what a reader had before; the same one if it differs in nothing that the reader had. */
function rebased(state: SeenState, before: SeenState): SeenState {
  const places = reused(state.places, state.shown, before)
  const isSame = [...places].every(([name, place]) => place === state.places.get(name))
  return isSame ? state : stateOf(places, state.shown)
}

/**
 * Returns places as they were before, as far as they are as they were: the same object, or at least with the same value.
 */
function reused(places: KeyPlaces, shown: Shown, before: SeenState): KeyPlaces {
  return new Map(
    Array.from(places, ([name, now]) => {
      const id = name === PLAIN ? undefined : name
      const earlier = before.places.get(name)
      const isSame = isSameValue(before.shown.get(id), shown.get(id))
      return [name, earlier !== undefined && isSame ? renewed(earlier, now) : now]
    })
  )
}

function renewed(before: KeyPlace, now: KeyPlace): KeyPlace {
  return before.found.expirationTime === now.found.expirationTime
    ? before
    : { ...now, found: { ...now.found, value: before.found.value } }
}

/** Picks a reader's view of one subkey: never a plain value. */
function seenOf(shown: Shown, subkey: SubkeyId | undefined): Shown {
  if (subkey === undefined) {
    return shown
  }

  const entry = shown.get(subkey)
  return entry === undefined ? NOTHING_SHOWN : new Map([[subkey, entry]])
}

function isSameValue(a: Entry | undefined, b: Entry | undefined): boolean {
  return a?.value === b?.value || (a?.value && b?.value ? equals(a.value, b.value) : false)
}
