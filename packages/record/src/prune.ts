import { filterSubkeys } from './dictionary/filter-subkeys.ts'
import { LargeDictionary } from './dictionary/large-dictionary.ts'
import { isLive } from './entry.ts'
import { type DHTRecord, record } from './record.ts'
import type { DHTTime } from './time.ts'

/** Removes the entries that have expired (R1). Returns the same object if none has. */
export function prune(from: DHTRecord, now: DHTTime): DHTRecord {
  const plain = from.plain !== undefined && isLive(from.plain, now) ? from.plain : undefined
  const subkeys = filterSubkeys(from.subkeys, (_, entry) => isLive(entry, now), now)
  const isUnchanged = plain === from.plain && subkeys === from.subkeys

  return isUnchanged ? from : record(plain, subkeys)
}

/** The moment from which no entry of the record is live; 0 for an empty record. */
export function lastExpiration({ plain, subkeys }: DHTRecord): DHTTime {
  let last = plain?.expirationTime ?? 0

  if (subkeys instanceof LargeDictionary) {
    return Math.max(last, subkeys.lastExpiration)
  }

  for (const { expirationTime } of subkeys.values()) {
    last = Math.max(last, expirationTime)
  }

  return last
}

/** The moment until which every entry of the record is live; infinite for an empty record. */
export function firstExpiration({ plain, subkeys }: DHTRecord): DHTTime {
  let first = plain?.expirationTime ?? Number.POSITIVE_INFINITY

  if (subkeys instanceof LargeDictionary) {
    return Math.min(first, subkeys.firstExpiration)
  }

  for (const { expirationTime } of subkeys.values()) {
    first = Math.min(first, expirationTime)
  }

  return first
}
