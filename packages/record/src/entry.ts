import { compare } from 'uint8arrays/compare'
import type { DHTTime, Entry } from './interface.ts'

/** Whether the entry counts at this moment (R1). */
export function isLive(entry: Entry, now: DHTTime): boolean {
  return entry.expirationTime > now
}

/** Whether the entry only says that something was deleted (R9). */
export function isTombstone(entry: Entry): boolean {
  return entry.value === undefined
}

/**
 * Keeps the entry that stays true longest (R2). Ties are settled by the bytes, so every replica
 * picks the same winner whatever order writes arrive in.
 */
export function later(a: Entry, b: Entry): Entry {
  return compareEntries(a, b) >= 0 ? a : b
}

/**
 * The total order behind {@link later}: expiration, then a value before a tombstone, then the
 * value's bytes, then the signature's. Zero means that the two are the same entry.
 */
export function compareEntries(a: Entry, b: Entry): number {
  return (
    a.expirationTime - b.expirationTime ||
    compareBytes(a.value, b.value) ||
    compareBytes(a.signature, b.signature)
  )
}

/** Nothing comes before any bytes, the empty ones included. */
function compareBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) {
    return Number(a !== undefined) - Number(b !== undefined)
  }

  return compare(a, b)
}
