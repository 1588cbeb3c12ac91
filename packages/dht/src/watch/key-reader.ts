import type {
  DHTRecord,
  DHTTime,
  Entry,
  Found,
  FoundValue,
  Limits,
  MaybePromise,
  Subkey,
  Value
} from '@waggle/record'
import { subkeyId, whenDone } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import type { WatchProgressEvent } from '../live/state.ts'
import {
  PLAIN,
  type Place,
  type PlaceName,
  type State,
  type StateListener,
  type StateReader
} from '../live/state.ts'
import { isSameShown, NOTHING_SHOWN, type Shown } from './shown.ts'

/** A key of which is known what a reader sees. */
export interface Watched {
  /** The record as far as it is known; more may be known in a moment. */
  readonly record: DHTRecord

  /** Whether so much is known that the first value can be delivered. */
  readonly isSettled: boolean

  /** The entries that a reader sees at this moment. */
  shownAt(now: DHTTime): Shown
  leave(watcher: KeyReader): void
}

export interface KeyReaderInit {
  readonly clock: () => DHTTime
  readonly limits: Limits

  /** Returns the view of a record for a reader. */
  readonly show: (record: DHTRecord) => MaybePromise<Found | undefined>

  /** Begins to watch. */
  readonly begin: (watcher: KeyReader) => Watched
  readonly listener: StateListener
}

export type KeyState = State<Found | undefined, Subkey | undefined, Value>

/** Reads the states of a watched key as its readers see it. */
export class KeyReader implements StateReader<Found | undefined, Subkey | undefined, Value> {
  readonly #init: KeyReaderInit
  readonly #watched: Watched
  #shown: Shown = NOTHING_SHOWN
  #state: KeyState | undefined

  constructor(init: KeyReaderInit) {
    this.#init = init
    this.#watched = init.begin(this)
  }

  /** Something may have changed. */
  look(): void {
    this.#init.listener.onChange()
  }

  report(event: WatchProgressEvent): void {
    this.#init.listener.onProgress?.(event)
  }

  read(): MaybePromise<KeyState | undefined> {
    const { clock, show } = this.#init

    if (!this.#watched.isSettled) {
      return undefined
    }

    const shown = this.#watched.shownAt(clock())
    return this.#state !== undefined && isSameShown(shown, this.#shown)
      ? this.#state
      : whenDone(show(this.#watched.record), (found) => this.#take(found, shown))
  }

  close(): void {
    this.#watched.leave(this)
  }

  #take(found: Found | undefined, shown: Shown): KeyState {
    const places = new Map<PlaceName, Place<Subkey | undefined, Value>>()

    for (const [name, subkey, now] of this.#placesOf(found)) {
      places.set(name, this.#reuse(name, { subkey, found: now }, shown))
    }

    this.#shown = shown
    this.#state = { current: foundAs(found, places), places }
    return this.#state
  }

  /** Returns the place as it was, if it is as it was; otherwise at least its value, if that is as it was. */
  #reuse(
    name: PlaceName,
    now: Place<Subkey | undefined, Value>,
    shown: Shown
  ): Place<Subkey | undefined, Value> {
    const id = name === PLAIN ? undefined : name
    const before = this.#state?.places.get(name)

    if (before === undefined || !isSameValue(this.#shown.get(id), shown.get(id))) {
      return now
    }

    return before.found.expirationTime === now.found.expirationTime
      ? before
      : { ...now, found: { ...now.found, value: before.found.value } }
  }

  *#placesOf(found: Found | undefined): Iterable<[PlaceName, Subkey | undefined, Found<Value>]> {
    if (found === undefined) {
      return
    }

    if (!isDictionary(found.value)) {
      yield [PLAIN, undefined, { ...found, value: found.value }]
      return
    }

    for (const [subkey, entry] of found.value) {
      yield [subkeyId(subkey, this.#init.limits), subkey, entry]
    }
  }
}

function isDictionary(value: FoundValue): value is ReadonlyMap<Subkey, Found<Value>> {
  return value instanceof Map
}

/** Puts the places that were reused in the place of what was found. */
function foundAs(
  found: Found | undefined,
  places: ReadonlyMap<PlaceName, Place<Subkey | undefined, Value>>
): Found | undefined {
  if (found === undefined || !isDictionary(found.value)) {
    return places.get(PLAIN)?.found
  }

  const value = new Map(
    Array.from(places.values(), ({ subkey, found }) => [subkey as Subkey, found])
  )
  return { ...found, value }
}

function isSameValue(a: Entry | undefined, b: Entry | undefined): boolean {
  return a?.value === b?.value || (a?.value && b?.value ? equals(a.value, b.value) : false)
}
