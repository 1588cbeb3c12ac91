import { type Applied, apply, type HivemindWrite } from '../record/apply.ts'
import type { HivemindRecord } from '../record/record.ts'
import { isHoldable } from './checks.ts'
import type { HivemindLimits } from './limits.ts'

/**
 * Applies several writes to a record, one after the other. Succeeds only if all are accepted. Unlike in Python, a
 * refused write does not stop the ones after it.
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
