import { Dictionary, type Found, type MaybePromise, type Subkey, type Value } from '@waggle/record'
import { isPromise, subkeyId, UNLIMITED, whenDone } from '@waggle/record/replica'
import { type FoundPlace, type FoundPlaces, PLAIN, type SubkeyName } from './places.ts'
import { mapStates, type StateSource } from './state.ts'

/** The places of a key, with values of any type. */
export type KeyPlaces = FoundPlaces<Subkey | undefined, Value>

/** Names the place of a subkey. */
export function subkeyName(subkey: Subkey | undefined): SubkeyName {
  return subkey === undefined ? PLAIN : subkeyId(subkey, UNLIMITED)
}

/** Lists the places of a result. */
export function placesOf(found: Found | undefined): KeyPlaces {
  if (found === undefined) {
    return new Map()
  }

  return found.value instanceof Dictionary
    ? new Map(
        Array.from(found.value, ([subkey, entry]) => [subkeyName(subkey), { subkey, found: entry }])
      )
    : new Map([[PLAIN, { subkey: undefined, found: { ...found, value: found.value } }]])
}

/** Makes the result of some places, as a reader gets it. */
export function foundOf(places: KeyPlaces): Found | undefined {
  const plain = places.get(PLAIN)

  if (plain !== undefined || places.size === 0) {
    return plain?.found
  }

  let expirationTime = 0

  for (const { found } of places.values()) {
    expirationTime = Math.max(expirationTime, found.expirationTime)
  }

  return { value: dictionaryOf(places as FoundPlaces<Subkey, Value>), expirationTime }
}

/** Returns the only entry of a result for one subkey. */
export function entryOf(found: Found | undefined): Found<Value> | undefined {
  const [place] = placesOf(found).values()
  return place?.subkey === undefined ? undefined : place.found
}

/** Returns the dictionary of some places. */
export function dictionaryOf<K, V>(places: FoundPlaces<K, V>): Dictionary<K, V> {
  return new Dictionary(Array.from(places.values(), ({ subkey, found }) => [subkey, found]))
}

/**
 * Converts a place; undefined leaves it out. `before` is the last result for this place, so that equal values stay the
 * same object.
 */
export type PlaceMapping<K, V, K2, V2> = (
  place: FoundPlace<K, V>,
  before: FoundPlace<K2, V2> | undefined
) => MaybePromise<FoundPlace<K2, V2> | undefined>

/** Maps each place; the names of the new places come from their subkeys. */
export async function mapPlaces<K, V, K2 extends Subkey | undefined, V2>(
  places: FoundPlaces<K, V>,
  map: (name: SubkeyName, place: FoundPlace<K, V>) => MaybePromise<FoundPlace<K2, V2> | undefined>
): Promise<FoundPlaces<K2, V2>> {
  const mapped = new Map<SubkeyName, FoundPlace<K2, V2>>()

  for (const [name, place] of places) {
    const made = map(name, place)
    const now = isPromise(made) ? await made : made

    if (now !== undefined) {
      mapped.set(subkeyName(now.subkey), now)
    }
  }

  return mapped
}

/** Returns a source with each place of another's states mapped. Unchanged places are not mapped again. */
export function mapSource<T, K, V, T2, K2 extends Subkey | undefined, V2>(
  source: StateSource<T, K, V>,
  map: PlaceMapping<K, V, K2, V2>,
  currentOf: (places: FoundPlaces<K2, V2>) => T2
): StateSource<T2, K2, V2> {
  return mapStates(source, () => {
    let last = new Map<SubkeyName, Mapped<K, V, K2, V2>>()

    return async ({ places }) => {
      const next = new Map<SubkeyName, Mapped<K, V, K2, V2>>()
      const mapped = await mapPlaces<K, V, K2, V2>(places, (name, from) => {
        const before = last.get(name)
        const made = before === undefined ? map(from, undefined) : remap(before, from, map)
        return whenDone(made, (to) => {
          next.set(name, { from, to })
          return to
        })
      })
      last = next
      return { current: currentOf(mapped), places: mapped }
    }
  })
}

interface Mapped<K, V, K2, V2> {
  readonly from: FoundPlace<K, V>
  readonly to: FoundPlace<K2, V2> | undefined
}

/** Maps a place that was mapped before: not again if it is the same, or was only renewed. */
function remap<K, V, K2, V2>(
  { from, to }: Mapped<K, V, K2, V2>,
  now: FoundPlace<K, V>,
  map: PlaceMapping<K, V, K2, V2>
): MaybePromise<FoundPlace<K2, V2> | undefined> {
  if (from.found.value !== now.found.value) {
    return map(now, to)
  }

  const { expirationTime } = now.found
  return to === undefined || from === now ? to : { ...to, found: { ...to.found, expirationTime } }
}
