import type { Found, Key, Subkey, Value } from '@waggle/record'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from './base-operations.ts'
import { assertCallOptions } from './call-arguments.ts'
import type { PlaceOptions } from './call-options.ts'

/** Watches a key, or one of its subkeys. */
export function watchKey<R extends boolean>(
  base: BaseOperations,
  key: Key,
  options: WatchOptions<R> & PlaceOptions = {}
): Watch<Found | undefined, Subkey | undefined, Value, R> {
  assertCallOptions('watch', options)
  const { subkey, ...rest } = options
  return subkey === undefined
    ? base.watchStates(base.states(key), rest)
    : base.watchStates(base.entryStates(key, subkey), rest)
}
