import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Found, Key, MaybePromise, Subkey, Value } from '@waggle/record'
import { assertSchema, whenDone } from '@waggle/record/replica'
import { mapPlaces, mapSource, placesOf } from '../live/found-places.ts'
import { type FoundPlace, type FoundPlaces, PLAIN } from '../live/places.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import { assertReadOptions } from '../operations/call-arguments.ts'
import type { GetOptions } from '../operations/call-options.ts'
import type { Publication } from '../operations/publication.ts'
import { CheckedPublication } from './checked-publication.ts'
import { assertFit, fit } from './fit.ts'
import {
  assertHandleOptions,
  deleteOptions,
  type HandleDeleteOptions,
  type HandleOptions,
  type PublishArguments,
  publishOptions,
  type StoreArguments,
  writeOptions
} from './handle-options.ts'
import { leaveOut, type Misfits } from './misfit.ts'

/**
 * One key whose plain value fits a schema. Writes take `I`, reads return `T`. It holds no state: make one wherever
 * it is needed.
 */
export interface ValueHandle<I, T, O = object> {
  readonly key: Key

  /** Stores a value. @throws ValidationError, before anything is sent, if it does not fit */
  store(value: I, ...options: StoreArguments<O>): Promise<boolean>
  get(options?: GetOptions): Promise<Found<T> | undefined>
  delete(options?: HandleDeleteOptions): Promise<boolean>

  /** Keeps a value alive, as the DHT's `publish` does. @throws ValidationError for what does not fit */
  publish(value: I, ...options: PublishArguments<O>): Publication<I>
  watch<R extends boolean = false>(
    options?: WatchOptions<R>
  ): Watch<Found<T> | undefined, undefined, T, R>
}

/** Makes a handle of a key's plain value. */
export function valueHandle<I, T>(
  base: BaseOperations,
  key: Key,
  schema: StandardSchemaV1<I, T>,
  options: HandleOptions = {}
): ValueHandle<I, T> {
  assertSchema(schema, 'the schema')
  assertHandleOptions('value', options)
  const states = base.states(key)
  const misfits = { base, key, options }
  const map = (
    place: FoundPlace<Subkey | undefined, Value>
  ): MaybePromise<FoundPlace<undefined, T> | undefined> =>
    place.subkey === undefined
      ? whenDone(
          readFound({ ...misfits, schema }, place),
          (found) => found && { subkey: undefined, found }
        )
      : leaveOut(misfits, place, [{ message: 'the key holds a dictionary, not a plain value' }])

  return {
    key,
    store: async (value, given) => {
      await assertFit(schema, value, 'value')
      return base.store(key, value as Value, writeOptions(options, given))
    },
    get: async (getOptions) => {
      assertReadOptions(getOptions)
      const places = placesOf(await base.get(key, getOptions))
      return plainOf(await mapPlaces(places, (_, place) => map(place)))
    },
    delete: async (given) => base.delete(key, deleteOptions(options, given)),
    publish: (value, given) =>
      new CheckedPublication({
        ...{ key, subkey: undefined, value },
        check: (value) => assertFit(schema, value, 'value'),
        begin: (value) => base.publish(key, value as Value, publishOptions(options, given))
      }),
    watch: (watchOptions) => base.watchStates(mapSource(states, map, plainOf), watchOptions)
  }
}

export interface ReadInit<T> extends Misfits {
  readonly schema: StandardSchemaV1<unknown, T>
}

/** Reads the value found in a place by a schema. */
export function readFound<T>(
  { schema, ...misfits }: ReadInit<T>,
  place: FoundPlace<Subkey | undefined, Value>
): MaybePromise<Found<T> | undefined> {
  return whenDone(fit(schema, place.found.value), (result) =>
    result.issues === undefined
      ? { ...place.found, value: result.value }
      : leaveOut(misfits, place, result.issues)
  )
}

function plainOf<T>(places: FoundPlaces<undefined, T>): Found<T> | undefined {
  return places.get(PLAIN)?.found
}
