import type { SubkeyId } from '@waggle/record'
import { textOf } from '../latin1.ts'

/** Separates key and subkey. Keys are CBOR, in which no key is a prefix of another. */
export const SUBKEY_SEPARATOR = '\0'

/** The last key, and its name: one step asks several times for that of one key. */
let lastKey: Uint8Array | undefined
let lastName = ''

/** Converts a record key to a string, as a Map's key. Nobody changes the bytes of a key. */
export function nameOf(key: Uint8Array): string {
  if (key !== lastKey) {
    lastName = textOf(key)
    lastKey = key
  }

  return lastName
}

/** Names a place. The names of a key's subkeys begin with the name of the key and a separator. */
export function placeName(key: Uint8Array, subkey?: SubkeyId): string {
  const name = nameOf(key)
  return subkey === undefined ? name : name + SUBKEY_SEPARATOR + subkey
}
