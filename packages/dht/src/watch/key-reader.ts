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
import { project, whenDone } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { foundOf, placesOf } from '../live/found-places.ts'
import {
  type FoundPlace,
  PLAIN,
  type State,
  type StateListener,
  type StateReader,
  type SubkeyName,
  type WatchProgressEvent
} from '../live/state.ts'
import { isSameShown, NOTHING_SHOWN, type Shown } from './shown.ts'

/** A key whose present view is known. */
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
  /** The only subkey that the reader sees. @default it sees the whole key */
  readonly subkey?: SubkeyId | undefined
  readonly clock: () => DHTTime

  /** Returns the view of a record for a reader. */
  readonly show: (record: DHTRecord) => MaybePromise<Found | undefined>

  /** Begins to watch. */
  readonly begin: (watcher: KeyReader) => Watched
  readonly listener: StateListener
}

type KeyPlace = FoundPlace<Subkey | undefined, Value>
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
    const { clock, show, subkey } = this.#init
    const { isSettled, record } = this.#watched

    if (!isSettled) {
      return undefined
    }

    const shown = seenOf(this.#watched.shownAt(clock()), subkey)

    if (this.#state !== undefined && isSameShown(shown, this.#shown)) {
      return this.#state
    }

    const seen = subkey === undefined ? record : { subkeys: project(record, [subkey]).subkeys }
    return whenDone(show(seen), (found) => this.#take(found, shown))
  }

  close(): void {
    this.#watched.leave(this)
  }

  #take(found: Found | undefined, shown: Shown): KeyState {
    const places = new Map<SubkeyName, KeyPlace>()

    for (const [name, place] of placesOf(found)) {
      places.set(name, this.#reuse(name, place, shown))
    }

    this.#shown = shown
    this.#state = { current: foundOf(places), places }
    return this.#state
  }

  /** Returns the place as it was, if it is as it was; otherwise at least its value, if that is as it was. */
  #reuse(name: SubkeyName, now: KeyPlace, shown: Shown): KeyPlace {
    const id = name === PLAIN ? undefined : name
    const before = this.#state?.places.get(name)

    if (before === undefined || !isSameValue(this.#shown.get(id), shown.get(id))) {
      return now
    }

    return before.found.expirationTime === now.found.expirationTime
      ? before
      : { ...now, found: { ...now.found, value: before.found.value } }
  }
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
