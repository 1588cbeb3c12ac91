import type { Key } from '@waggle/record'
import { type Handles, handlesOf } from '../handles/handles.ts'
import type { WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import type { WaggleOperations } from '../operations/waggle-operations.ts'
import { watchKey } from '../operations/watch-key.ts'
import { SealedOperations, type SealedOptions } from './sealed-operations.ts'

/** The operations of a DHT, on entries that only members with the secret can read. */
export interface SealedView extends WaggleOperations, Handles {}

/**
 * Makes a sealed view of a DHT.
 *
 * @throws TypeError for a secret that is too short or not bytes, or an invalid option
 */
export function sealedView(
  base: BaseOperations,
  secret: Uint8Array,
  options?: SealedOptions
): SealedView {
  return operationsView(new SealedOperations(base, secret, options))
}

/** Adds watches and handles, and the types that callers see. */
export function operationsView<B extends BaseOperations>(base: B): B & SealedView {
  const watch = (key: Key, options?: WatchOptions): unknown => watchKey(base, key, options)
  return Object.assign(base, { watch }, handlesOf(base)) as object as B & SealedView
}
