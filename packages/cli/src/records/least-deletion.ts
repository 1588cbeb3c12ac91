import type { CallOptions, DHT } from '@waggle/dht'
import type { Key, Subkey } from '@waggle/record'
import { subkeyEntry } from './subkey-entry.ts'

/**
 * Seconds by which a deletion outlasts the entry that it deletes: a step of the clock, and more than a float's
 * rounding error.
 */
const STEP_SECONDS = 1e-6

/** Finds the least expiration with which a deletion beats all stored entries; undefined if there are none. */
export async function leastDeletion(
  dht: Pick<DHT, 'get'>,
  { key, subkey }: { readonly key: Key; readonly subkey: Subkey | undefined },
  call: CallOptions = {}
): Promise<number | undefined> {
  const found = await dht.get(key, { latest: true, ...call })
  const held = subkey === undefined ? found : subkeyEntry(found, subkey)
  return held && held.expirationTime + STEP_SECONDS
}
