import type { Found, Subkey, Value } from '@waggle/dht'

/** Lists the subkeys of a dictionary with their values. */
export function entriesOf(found: Found | undefined): [Subkey, Found<Value>][] {
  if (found?.value instanceof Map) {
    return [...found.value]
  }

  throw new Error('what was found is not a dictionary')
}

/** Lists the subkeys of a dictionary. */
export function subkeysOf(found: Found | undefined): Subkey[] {
  return entriesOf(found).map(([subkey]) => subkey)
}
