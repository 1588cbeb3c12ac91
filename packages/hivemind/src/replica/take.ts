import { type Applied, apply, type HivemindWrite } from '../record/apply.ts'
import type { HivemindRecord } from '../record/record.ts'
import { isHoldable } from './checks.ts'
import type { HivemindLimits } from './limits.ts'

/**
 * What becomes of a record that takes several writes, one after the other. All must be accepted for
 * the whole to be; a refused one does not keep out those after it, as it does in Python.
 */
export function takeAll(
  held: HivemindRecord,
  writes: readonly HivemindWrite[],
  { limits, now }: { limits: HivemindLimits; now: number }
): Applied {
  let record = held
  let isAccepted = true

  for (const write of writes) {
    const applied = write.expirationTime > now ? apply(record, write) : REFUSED
    const isHeld = applied.isAccepted && isHoldable(applied.record, write, limits)
    isAccepted &&= isHeld
    record = isHeld ? applied.record : record
  }

  return { isAccepted, record }
}

const REFUSED = { isAccepted: false } as const
