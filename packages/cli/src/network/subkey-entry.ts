import type { Found, Subkey, Value } from '@waggle/record'
import { subkeyId } from '@waggle/record/replica'

/** Finds the entry of a subkey in a dictionary; undefined for a plain value or a missing subkey. */
export function subkeyEntry(found: Found | undefined, subkey: Subkey): Found<Value> | undefined {
  if (!(found?.value instanceof Map)) {
    return undefined
  }

  const id = subkeyId(subkey)
  return [...found.value].find(([other]) => subkeyId(other) === id)?.[1]
}
