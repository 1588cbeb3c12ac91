import type { Found, Subkey, Value } from '@waggle/record'
import { subkeyId } from '@waggle/record/replica'

/** Finds what a dictionary holds under a subkey; undefined for a plain value and for a subkey that is not there. */
export function subkeyEntry(found: Found | undefined, subkey: Subkey): Found<Value> | undefined {
  if (!(found?.value instanceof Map)) {
    return undefined
  }

  const id = subkeyId(subkey)
  return [...found.value].find(([other]) => subkeyId(other) === id)?.[1]
}
