import { compareEntries, type Entry } from '../entry.ts'
import { isOwned } from '../owner/owner.ts'
import type { SubkeyId } from '../values/key.ts'

/** An entry and the subkey that holds it. */
export interface SubkeyEntry {
  readonly id: SubkeyId
  readonly entry: Entry
}

/**
 * Decides which of two entries stays in a full dictionary (R13): negative if the first ranks before
 * the second. Owned entries rank first, then those that expire last. Ties are decided by bytes, then
 * by subkey.
 */
export function compareRanks(a: SubkeyEntry, b: SubkeyEntry): number {
  return (
    Number(isOwned(b.id)) - Number(isOwned(a.id)) ||
    compareEntries(b.entry, a.entry) ||
    (a.id < b.id ? 1 : -1)
  )
}
