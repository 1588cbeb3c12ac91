import type { HivemindRecord } from '../record/record.ts'
import type { HivemindWrite } from '../record/write.ts'
import type { HivemindLimits } from './limits.ts'
import { RecordDraft } from './record-draft.ts'

/** The outcome of writes at a replica. */
export interface Taken {
  readonly isAccepted: boolean
  readonly record: HivemindRecord
}

/**
 * Applies several writes to a record, one after the other. Succeeds only if all are accepted. Unlike in Python, a
 * refused write does not stop the ones after it.
 */
export function takeAll(
  held: HivemindRecord,
  writes: readonly HivemindWrite[],
  { limits, now }: { limits: HivemindLimits; now: number }
): Taken {
  const draft = new RecordDraft(held, limits)
  let isAccepted = true

  for (const write of writes) {
    isAccepted = write.expirationTime > now && draft.apply(write) && isAccepted
  }

  return { isAccepted, record: draft.record }
}
