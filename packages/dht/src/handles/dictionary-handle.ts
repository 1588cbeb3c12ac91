import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Dictionary, Found, Key, MaybePromise, Subkey, Value } from '@waggle/record'
import { assertSchema, isOptions, whenDone } from '@waggle/record/replica'
import { dictionaryOf, mapPlaces, mapSource, placesOf } from '../live/found-places.ts'
import type { FoundPlace, FoundPlaces } from '../live/places.ts'
import type { StateSource } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import { assertCallOptions, assertReadOptions } from '../operations/call-arguments.ts'
import type { GetOptions } from '../operations/call-options.ts'
import type { Publication } from '../operations/publication.ts'
import { assertThat } from '../option-checks.ts'
import { ignorable } from '../timing/ignorable.ts'
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
import { leaveOut } from './misfit.ts'
import { readFound } from './value-handle.ts'

/**
 * One key whose dictionary fits schemas of its subkeys and values. Writes take `KI` and `I`, reads return `K` and
 * `T`. It holds no state: make one wherever it is needed.
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
  assertThat(
    isOptions(schemas),
    'the schemas of a dictionary',
    'an object { subkey, value }',
    schemas
  )
  assertSchema(schemas.subkey, 'subkey')
  assertSchema(schemas.value, 'value')
  assertHandleOptions('dictionary', options)
  const states = base.states(key)
  const map = entryReader(base, key, schemas, options)

  return {
    key,
    store: async (subkey, value, given) => {
      await assertFit(schemas.subkey, subkey, 'subkey')
      await assertFit(schemas.value, value, 'value')
      return base.store(key, value as Value, { ...writeOptions(options, given), subkey })
    },
    get: async (subkey, getOptions) => {
      assertReadOptions(getOptions)
      await assertFit(schemas.subkey, subkey, 'subkey')
      const found = await base.get<Found<Value>>(key, { ...getOptions, subkey })
      return found && (await map({ subkey, found }))?.found
    },
    entries: async (getOptions) => {
      assertReadOptions(getOptions)
      const places = placesOf(await base.get(key, getOptions))
      return dictionaryOf(await mapPlaces(places, (_, place) => map(place)))
    },
    delete: async (subkey, given) => {
      const deletion = deleteOptions(options, given)
      await assertFit(schemas.subkey, subkey, 'subkey')
      return base.delete(key, { ...deletion, subkey })
    },
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
    watch: watchOf({ base, key, states, map, schema: schemas.subkey })
  }
}

interface WatchedDictionary<KI, K, T> {
  readonly base: BaseOperations
  readonly key: Key
  readonly states: StateSource<Found | undefined, Subkey | undefined, Value>
  readonly map: EntryReader<K, T>
  readonly schema: StandardSchemaV1<KI, K>
}

/** Makes the handle's `watch`. */
function watchOf<KI extends Subkey, K extends Subkey, T>({
  base,
  key,
  states,
  map,
  schema
}: WatchedDictionary<KI, K, T>): DictionaryHandle<KI, K, never, T>['watch'] {
  const entryOf = (places: FoundPlaces<K, T>): Found<T> | undefined =>
    [...places.values()][0]?.found

  function watch<R extends boolean>(
    options: WatchOptions<R> & { readonly subkey?: KI | undefined } = {}
  ): Watch<Found<T> | undefined, K, T, R> | Watch<Dictionary<K, T>, K, T, R> {
    assertCallOptions('watch', options)
    const { subkey, ...rest } = options

    if (subkey === undefined) {
      return base.watchStates(mapSource(states, map, dictionaryOf<K, T>), rest)
    }

    // A schema that answers later leaves out what does not fit as it is found.
    void ignorable(Promise.resolve(assertFit(schema, subkey, 'subkey')))
    return base.watchStates(mapSource(base.entryStates(key, subkey), map, entryOf), rest)
  }

  return watch as DictionaryHandle<KI, K, never, T>['watch']
}

type EntryReader<K, T> = (
  place: FoundPlace<Subkey | undefined, Value>
) => MaybePromise<FoundPlace<K, T> | undefined>

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
