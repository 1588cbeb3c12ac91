import type { Entry } from '../entry.ts'
import type { Subkeys } from '../record.ts'
import type { DHTTime } from '../time.ts'
import type { SubkeyId } from '../values/key.ts'
import { LargeDictionary } from './large-dictionary.ts'
import { compareRanks } from './rank.ts'

/** Excess entries that are removed one by one, because sorting a full dictionary costs more. */
const FEW = 4

/**
 * Keeps the entries for which `isKept` is true. Returns the same object if it is true of all.
 *
 * @param untilTime the latest expiration that a removed entry can have
 */
export function filterSubkeys(
  subkeys: Subkeys,
  isKept: (id: SubkeyId, entry: Entry) => boolean,
  untilTime?: DHTTime
): Subkeys {
  if (subkeys instanceof LargeDictionary) {
    return subkeys.filter(isKept, untilTime)
  }

  // Most records have none.
  if (subkeys.size === 0 || every(subkeys, isKept)) {
    return subkeys
  }

  const kept = new Map<SubkeyId, Entry>()

  for (const [id, entry] of subkeys) {
    if (isKept(id, entry)) {
      kept.set(id, entry)
    }
  }

  return kept
}

/**
 * Keeps the `maxSubkeys` entries that rank first (R13): owned ones, then those that expire last, with
 * ties decided by bytes, then by subkey. A subkey's rank can only rise, and entries that a plain entry
 * erases rank last. So the order of joins does not affect which entries are dropped.
 */
export function capSubkeys(subkeys: Subkeys, maxSubkeys: number): Subkeys {
  if (subkeys.size <= maxSubkeys) {
    return subkeys
  }

  const excess = subkeys.size - maxSubkeys

  if (excess <= FEW && subkeys instanceof LargeDictionary) {
    return subkeys.withoutLast(excess)
  }

  const last = lastOf(subkeys, excess)
  return filterSubkeys(subkeys, (id) => !last.has(id))
}

/** Whether the condition is true of all entries. */
export function every(subkeys: Subkeys, isTrue: (id: SubkeyId, entry: Entry) => boolean): boolean {
  for (const [id, entry] of subkeys) {
    if (!isTrue(id, entry)) {
      return false
    }
  }

  return true
}

/** The subkeys that rank last. */
function lastOf(subkeys: Subkeys, count: number): Set<SubkeyId> {
  const ranked = Array.from(subkeys, ([id, entry]) => ({ id, entry })).sort(compareRanks)
  return new Set(ranked.slice(-count).map(({ id }) => id))
}
