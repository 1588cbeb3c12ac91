import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Key, Subkey, Value } from '@waggle/record'
import type { FoundPlace } from '../live/places.ts'
import { tell } from '../live/tell.ts'
import type { BaseOperations } from '../operations/base-operations.ts'

/** Something found that does not fit a handle's schema. It counts as not there. */
export interface Misfit {
  readonly key: Key

  /** Undefined: a plain value. */
  readonly subkey: Subkey | undefined
  readonly value: Value

  /** The id of the peer that owns the place and has signed the value. Undefined: nobody owns it. */
  readonly owner: string | undefined
  readonly issues: readonly StandardSchemaV1.Issue[]
}

/** The callback for values that do not fit. */
export interface MisfitOptions {
  /** Called with each value that was found and does not fit. Such values count as not there. */
  readonly onMisfit?: ((misfit: Misfit) => void) | undefined
}

export interface Misfits {
  readonly base: Pick<BaseOperations, 'countMisfit'>
  readonly key: Key
  readonly options: MisfitOptions
}

/** Reports a misfit, and returns nothing in its place. */
export function leaveOut(
  { base, key, options }: Misfits,
  { subkey, found: { value, owner } }: FoundPlace<Subkey | undefined, Value>,
  issues: readonly StandardSchemaV1.Issue[]
): undefined {
  base.countMisfit()
  tell(options.onMisfit, { key, subkey, value, owner, issues })
}
