import type { DHTRecord, DHTTime, Entry } from '@waggle/record'
import { compareEntries, isLive, isTombstone } from '@waggle/record/replica'

/** The entries that a reader sees (R8), by subkey; the plain one under no name. */
export type Shown = ReadonlyMap<string | undefined, Entry>

/** Nobody has written, or it has expired. */
export const NOTHING_SHOWN: Shown = new Map()

/** Returns the entries that `view` would show, not decoded. */
export function shownOf({ plain, subkeys }: DHTRecord, now: DHTTime): Shown {
  const shown = new Map<string | undefined, Entry>()
  const isShown = (entry: Entry): boolean => isLive(entry, now) && !isTombstone(entry)

  for (const [id, entry] of subkeys) {
    if (isShown(entry)) {
      shown.set(id, entry)
    }
  }

  if (shown.size === 0 && plain !== undefined && isShown(plain)) {
    shown.set(undefined, plain)
  }

  return shown.size === 0 ? NOTHING_SHOWN : shown
}

/** Whether two views are the same to a reader. */
export function isSameShown(a: Shown, b: Shown): boolean {
  if (a === b || a.size !== b.size) {
    return a === b
  }

  for (const [id, entry] of a) {
    const other = b.get(id)

    if (other === undefined || (other !== entry && compareEntries(other, entry) !== 0)) {
      return false
    }
  }

  return true
}

/** Returns when the first part of it expires; never, if there is nothing. */
export function firstExpiration(shown: Shown): DHTTime {
  let first = Number.POSITIVE_INFINITY

  for (const { expirationTime } of shown.values()) {
    first = Math.min(first, expirationTime)
  }

  return first
}
