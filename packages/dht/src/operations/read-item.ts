import { type Key, type Limits, recordKey, type Subkey, type SubkeyId } from '@waggle/record'
import { subkeyId } from '@waggle/record/replica'
import { assertCallOptions } from './call-arguments.ts'
import type { KeyOrPlace } from './call-options.ts'

/** One item of `getMany`: a key, or one of its subkeys. */
export interface ReadItem {
  readonly key: Key
  readonly subkey?: Subkey | undefined
  readonly bytes: Uint8Array
  readonly id?: SubkeyId
}

/** Converts a key or a place to an item to read. Throws if it is invalid. */
export function readItem(given: KeyOrPlace, limits: Limits): ReadItem {
  if (!isPlace(given)) {
    return { key: given, bytes: recordKey(given, limits) }
  }

  assertCallOptions('place', given)
  const { key, subkey } = given
  const bytes = recordKey(key, limits)
  return subkey === undefined
    ? { key, bytes }
    : { key, subkey, bytes, id: subkeyId(subkey, limits) }
}

/** Whether a subkey is named: no key is an object with properties. */
export function isPlace(given: KeyOrPlace): given is Extract<KeyOrPlace, { readonly key: Key }> {
  return Object(given).key !== undefined
}
