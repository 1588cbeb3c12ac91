import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Dictionary, Found, Key, MaybePromise, Subkey, Value } from '@waggle/record'
import { assertSchema, whenDone } from '@waggle/record/replica'
import { dictionaryOf, mapPlaces, mapSource, placesOf } from '../live/places.ts'
import type { Place, Places } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import type { GetOptions } from '../operations/call-options.ts'
import type { Publication } from '../operations/publication.ts'
import { CheckedPublication } from './checked-publication.ts'
import { assertFit, fit } from './fit.ts'
import {
  assertHandleOptions,
  type HandleDeleteOptions,
  type HandleOptions,
  type PublishArguments,
  publishOptions,
  type StoreArguments,
  writeOptions
} from './handle-options.ts'
import { leaveOut } from './misfit.ts'
import { readFound, signing } from './value-handle.ts'

/**
 * One key whose dictionary fits schemas of its subkeys and values. `KI` and `I` are what is stored, `K` and `T` what is
 * read. It holds no state: make one wherever it is needed.
 */
export interface DictionaryHandle<KI, K, I, T, O = object> {
  readonly key: Key

  /** Stores under a subkey. @throws ValidationError, before anything is sent, if it does not fit */
  store(subkey: KI, value: I, ...options: StoreArguments<O>): Promise<boolean>

  /** Reads one entry, which costs the same in a small dictionary and in a large one. */
  get(subkey: KI, options?: GetOptions): Promise<Found<T> | undefined>

  /** Reads all entries. */
  entries(options?: GetOptions): Promise<Dictionary<K, T>>
  delete(subkey: KI, options?: HandleDeleteOptions): Promise<boolean>

  /** Keeps an entry alive, as the DHT's `publish` does. @throws ValidationError for what does not fit */
  publish(subkey: KI, value: I, ...options: PublishArguments<O>): Publication<I>

  /** Watches one entry. */
  watch<R extends boolean = false>(
    options: WatchOptions<R> & { readonly subkey: KI }
  ): Watch<Found<T> | undefined, K, T, R>

  /** Watches all entries. */
  watch<R extends boolean = false>(options?: WatchOptions<R>): Watch<Dictionary<K, T>, K, T, R>
}

/** Schemas of a dictionary. The rules of `schemaValidator` have the same form. */
export interface DictionarySchemas<KI, K, I, T> {
  readonly subkey: StandardSchemaV1<KI, K>
  readonly value: StandardSchemaV1<I, T>
}

/** Makes a handle of a key's dictionary. */
export function dictionaryHandle<KI extends Subkey, K extends Subkey, I, T>(
  base: BaseOperations,
  key: Key,
  schemas: DictionarySchemas<KI, K, I, T>,
  options: HandleOptions = {}
): DictionaryHandle<KI, K, I, T> {
  assertSchema(schemas.subkey, 'subkey')
  assertSchema(schemas.value, 'value')
  assertHandleOptions('dictionary', options)
  const map = entryReader(base, key, schemas, options)

  return {
    key,
    store: async (subkey, value, given) => {
      await assertFit(schemas.subkey, subkey, 'subkey')
      await assertFit(schemas.value, value, 'value')
      return base.store(key, value as Value, { ...writeOptions(options, given), subkey })
    },
    get: async (subkey, getOptions) => {
      await assertFit(schemas.subkey, subkey, 'subkey')
      const found = await base.get(key, { ...getOptions, subkey })
      return found && (await map({ subkey, found }))?.found
    },
    entries: async (getOptions) =>
      dictionaryOf(
        await mapPlaces(placesOf(await base.get(key, getOptions)), (_, place) => map(place))
      ),
    delete: async (subkey, given) => base.delete(key, { ...signing(options), ...given, subkey }),
    publish: (subkey, value, given) =>
      new CheckedPublication({
        ...{ key, subkey, value },
        check: (value) =>
          whenDone(assertFit(schemas.subkey, subkey, 'subkey'), () =>
            assertFit(schemas.value, value, 'value')
          ),
        begin: (value) =>
          base.publish(key, value as Value, { ...publishOptions(options, given), subkey })
      }),
    watch: watchOf(base, key, map)
  }
}

/** Makes the handle's `watch`. */
function watchOf<KI extends Subkey, K extends Subkey, T>(
  base: BaseOperations,
  key: Key,
  map: EntryReader<K, T>
): DictionaryHandle<KI, K, never, T>['watch'] {
  const entryOf = (places: Places<K, T>): Found<T> | undefined => [...places.values()][0]?.found

  function watch<R extends boolean>(
    options?: WatchOptions<R> & { readonly subkey?: KI | undefined }
  ): Watch<Found<T> | undefined, K, T, R> | Watch<Dictionary<K, T>, K, T, R> {
    const { subkey, ...rest } = options ?? {}
    return subkey === undefined
      ? base.watchStates(mapSource(base.states(key), map, dictionaryOf<K, T>), rest)
      : base.watchStates(mapSource(base.entryStates(key, subkey), map, entryOf), rest)
  }

  return watch as DictionaryHandle<KI, K, never, T>['watch']
}

type EntryReader<K, T> = (
  place: Place<Subkey | undefined, Value>
) => MaybePromise<Place<K, T> | undefined>

/** Returns a function that reads an entry by the schemas, and reports one that does not fit. */
function entryReader<KI, K, I, T>(
  base: BaseOperations,
  key: Key,
  { subkey: subkeySchema, value: schema }: DictionarySchemas<KI, K, I, T>,
  options: HandleOptions
): EntryReader<K, T> {
  const misfits = { base, key, options }

  return (place) => {
    if (place.subkey === undefined) {
      return leaveOut(misfits, place, [
        { message: 'the key holds a plain value, not a dictionary' }
      ])
    }

    return whenDone(fit<K>(subkeySchema, place.subkey), (subkey) =>
      subkey.issues === undefined
        ? whenDone(
            readFound({ ...misfits, schema }, place),
            (found) => found && { subkey: subkey.value, found }
          )
        : leaveOut(misfits, place, subkey.issues)
    )
  }
}
