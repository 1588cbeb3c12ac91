import type { SubkeyId } from '@waggle/record'
import { textOf } from '../latin1.ts'

/** Separates key and subkey. Keys are CBOR, in which no key is a prefix of another. */
export const SUBKEY_SEPARATOR = '\0'

/** Names a place. The names of a key's subkeys begin with the name of the key and a separator. */
export function placeName(key: Uint8Array, subkey?: SubkeyId): string {
  const name = textOf(key)
  return subkey === undefined ? name : name + SUBKEY_SEPARATOR + subkey
}
