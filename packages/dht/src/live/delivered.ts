import type { DHTTime } from '@waggle/record'
import { type Change, changesBetween, type RemovalReason, removalReason } from './change.ts'
import type { FoundPlaces, SubkeyName } from './places.ts'

/** Remembers the last state that a loop got, which may be long ago. */
export class Delivered<K, V> {
  #places: FoundPlaces<K, V> = new Map()

  /** Why some of it is gone by now. */
  readonly #reasons = new Map<SubkeyName, RemovalReason>()

  /** Whether the loop was given this. */
  has(places: FoundPlaces<K, V>): boolean {
    return this.#places === places
  }

  /** Notes what goes from one state to the next, and why, by the last expiration that was read. */
  note(before: FoundPlaces<K, V>, after: FoundPlaces<K, V>, clock: () => DHTTime): void {
    for (const [name, { found }] of before) {
      if (this.#places.has(name) && !after.has(name)) {
        this.#reasons.set(name, removalReason(found, clock()))
      }
    }
  }

  /** Lists what differs from what the loop was given. */
  changesTo(places: FoundPlaces<K, V>, clock: () => DHTTime): Change<K, V, true>[] {
    return changesBetween(
      this.#places,
      places,
      (name, found) => this.#reasons.get(name) ?? removalReason(found, clock())
    )
  }

  /** The loop is given this. */
  take(places: FoundPlaces<K, V>): void {
    this.#places = places

    if (this.#reasons.size > 0) {
      this.#reasons.clear()
    }
  }
}
