import { type Handles, handlesOf } from '../handles/handles.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import type { WaggleOperations } from '../operations/waggle-operations.ts'
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
  const operations = new SealedOperations(base, secret, options)
  return Object.assign(operations, handlesOf(operations))
}
