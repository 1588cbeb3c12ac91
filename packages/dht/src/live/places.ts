import type { Found } from '@waggle/record'

/** The name of a place under a key: the bytes of its subkey, or {@link PLAIN}. Equal subkeys have equal names. */
export type SubkeyName = string

/** The place of a plain value. No subkey has this name. */
export const PLAIN: SubkeyName = ''

/** A place under a key, and the value found there. */
export interface FoundPlace<K, V> {
  readonly subkey: K
  readonly found: Found<V>
}

export type FoundPlaces<K, V> = ReadonlyMap<SubkeyName, FoundPlace<K, V>>
