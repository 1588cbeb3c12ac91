import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Key } from '@waggle/record'
import type { BaseOperations } from '../operations/base-operations.ts'
import { type DictionaryHandle, dictionaryHandle } from './dictionary-handle.ts'
import type { HandleOptions, Input, Output, StorableSchema } from './handle-options.ts'
import { type PresenceHandle, type PresenceOptions, presenceHandle } from './presence-handle.ts'
import { type ValueHandle, valueHandle } from './value-handle.ts'

/** Makes typed handles from schemas of any Standard Schema library. */
export interface Handles {
  /**
   * Makes a handle of one key's plain value. Its `store` takes and stores the schema's input, and `get` and `watch`
   * give its output, so that old values get new defaults. A value that does not fit counts as not there.
   *
   * @throws TypeError for a value that is no schema, or an option that is wrong
   */
  value<S extends StandardSchemaV1, const O extends HandleOptions = object>(
    key: Key,
    schema: StorableSchema<S>,
    options?: O & HandleOptions
  ): ValueHandle<Input<S>, Output<S>, O>

  /** Makes a handle of one key's dictionary, in the same way, from schemas of its subkeys and values. */
  dictionary<
    K extends StandardSchemaV1<Key, Key>,
    S extends StandardSchemaV1,
    const O extends HandleOptions = object
  >(
    key: Key,
    schemas: { readonly subkey: K; readonly value: StorableSchema<S> },
    options?: O & HandleOptions
  ): DictionaryHandle<Input<K>, Output<K>, Input<S>, Output<S>, O>

  /** Makes a handle of the present peers, each with its own value, keyed by verified peer id. */
  presence<S extends StandardSchemaV1>(
    key: Key,
    schema: StorableSchema<S>,
    options?: PresenceOptions
  ): PresenceHandle<Input<S>, Output<S>>
}

/** Makes handles over operations. */
export function handlesOf(base: BaseOperations): Handles {
  return {
    value: (key, schema, options) => valueHandle(base, key, schema, options) as never,
    dictionary: (key, schemas, options) =>
      dictionaryHandle(base, key, schemas as never, options) as never,
    presence: (key, schema, options) => presenceHandle(base, key, schema, options) as never
  }
}
