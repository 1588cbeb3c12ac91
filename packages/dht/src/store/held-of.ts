import { type DHTRecord, encodedSize, lastExpiration } from '@waggle/record'
import { chargesOf, NONE } from './charges.ts'
import type { Held } from './held.ts'

/** What is to be held when a record has been written, in place of what was held before. */
export function heldOf(name: string, record: DHTRecord, writer: string, previous?: Held): Held {
  const changedMs = performance.now()
  const sizeBytes = encodedSize(record) + name.length
  const isShared = previous !== undefined && record.subkeys.size > 0
  return {
    ...{ name, record, sizeBytes, changedMs, sinceMs: previous?.sinceMs ?? changedMs },
    storer: isShared ? previous.storer : writer,
    charges: isShared ? chargesOf(previous, writer, sizeBytes) : NONE,
    expirationTime: lastExpiration(record),
    isHeld: false
  }
}
