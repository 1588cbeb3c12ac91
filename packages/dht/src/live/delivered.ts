import type { DHTTime } from '@waggle/record'
import { type Change, changesBetween, type RemovalReason, removalReason } from './change.ts'
import type { FoundPlaces, SubkeyName } from './state.ts'

/** Remembers the last state that a loop got, which may be long ago. */
export class Delivered<K, V> {
  #places: FoundPlaces<K, V> = new Map()

  /** Why some of it is gone by now. */
  readonly #reasons = new Map<SubkeyName, RemovalReason>()

  /** Notes what goes from one state to the next, and why, by the last expiration that was read. */
  note(before: FoundPlaces<K, V>, after: FoundPlaces<K, V>, now: DHTTime): void {
    for (const [name, { found }] of before) {
      if (this.#places.has(name) && !after.has(name)) {
        this.#reasons.set(name, removalReason(found, now))
      }
    }
  }

  /** Lists what differs from what the loop was given. */
  changesTo(places: FoundPlaces<K, V>, now: DHTTime): Change<K, V, true>[] {
    return changesBetween(
      this.#places,
      places,
      (name, found) => this.#reasons.get(name) ?? removalReason(found, now)
    )
  }

  /** The loop is given this. */
  take(places: FoundPlaces<K, V>): void {
    this.#places = places
    this.#reasons.clear()
  }
}
