import type { CallOptions, DHT } from '@waggle/dht'
import type { Key, Subkey } from '@waggle/record'

/** Seconds by which a deletion outlasts what it deletes: a step of the clock, and more than a float loses. */
const STEP_SECONDS = 1e-6

/** Finds the least expiration with which a deletion beats all that is stored; undefined if nothing is. */
export async function leastDeletion(
  dht: Pick<DHT, 'get'>,
  { key, subkey }: { readonly key: Key; readonly subkey: Subkey | undefined },
  call: CallOptions = {}
): Promise<number | undefined> {
  const held = await dht.get(key, { latest: true, subkey, ...call })
  return held && held.expirationTime + STEP_SECONDS
}
