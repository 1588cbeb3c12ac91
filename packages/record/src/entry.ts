import { compare } from 'uint8arrays/compare'
import { headSize, numberSize } from './cbor/format.ts'
import type { DHTTime } from './time.ts'

/** One write to one place: a value, or the tombstone that a deletion leaves. */
export interface Entry {
  /** The moment at which the entry stops counting (R1). */
  readonly expirationTime: DHTTime

  /** Canonical CBOR of the value. An entry without a value is a tombstone. */
  readonly value?: Uint8Array

  /** The owner's signature if the place is owned (R15); absent otherwise. */
  readonly signature?: Uint8Array
}

/** Whether the entry still counts at this moment (R1). */
export function isLive(entry: Entry, now: DHTTime): boolean {
  return entry.expirationTime > now
}

/** Whether the entry records a deletion (R9). */
export function isTombstone(entry: Entry): boolean {
  return entry.value === undefined
}

/**
 * Returns the entry that expires later (R2). The bytes decide ties, so every replica picks the same
 * winner whatever order writes arrive in.
 */
export function later(a: Entry, b: Entry): Entry {
  return compareEntries(a, b) >= 0 ? a : b
}

/**
 * The total order behind {@link later}: expiration, then a value before a tombstone, then the
 * value's bytes, then the signature's. Zero means that the two are the same entry.
 */
export function compareEntries(a: Entry, b: Entry): number {
  if (a === b) {
    return 0
  }

  return (
    a.expirationTime - b.expirationTime ||
    compareBytes(a.value, b.value) ||
    compareBytes(a.signature, b.signature)
  )
}

/** The bytes that an entry takes in a record's encoding. */
export function entrySize({ expirationTime, value, signature }: Entry): number {
  const head = 1
  const field = 1
  let size = head + field + numberSize(expirationTime)

  if (value !== undefined) {
    size += field + value.length
  }

  if (signature !== undefined) {
    size += field + headSize(signature.length) + signature.length
  }

  return size
}

/** Orders absent bytes before any bytes, empty ones included. */
function compareBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) {
    return Number(a !== undefined) - Number(b !== undefined)
  }

  return compare(a, b)
}
