import { type Key, recordKey, type Subkey } from '@waggle/record'
import { placeOwner, subkeyId, UNLIMITED } from '@waggle/record/replica'

/** Finds the peer that a place belongs to; undefined if it belongs to nobody, or can't belong to anybody. */
export function placeOwnerId(key: Key, subkey: Subkey | undefined): string | undefined {
  try {
    const id = subkey === undefined ? undefined : subkeyId(subkey, UNLIMITED)
    return placeOwner(recordKey(key, UNLIMITED), id)?.id
  } catch {
    return undefined
  }
}
