import { compareEntries } from './entry.ts'
import type { Entry, SubkeyId } from './interface.ts'
import { isOwned } from './owner.ts'

/** An entry, and where in its dictionary it is. */
export interface Place {
  readonly id: SubkeyId
  readonly entry: Entry
}

/**
 * Which of two stays in a dictionary that is full (R13): negative if the first ranks before the
 * second. Owned ones do, then those that expire last, ties by their bytes, then by subkey.
 */
export function compareRanks(a: Place, b: Place): number {
  return (
    Number(isOwned(b.id)) - Number(isOwned(a.id)) ||
    compareEntries(b.entry, a.entry) ||
    (a.id < b.id ? 1 : -1)
  )
}
