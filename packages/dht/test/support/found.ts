import type { Found, Subkey, Value } from '@waggle/dht'

/** The subkeys of a dictionary that was found, with what is under each. */
export function entriesOf(found: Found | undefined): [Subkey, Found<Value>][] {
  if (found?.value instanceof Map) {
    return [...found.value]
  }

  throw new Error('what was found is not a dictionary')
}

/** The subkeys alone. */
export function subkeysOf(found: Found | undefined): Subkey[] {
  return entriesOf(found).map(([subkey]) => subkey)
}
