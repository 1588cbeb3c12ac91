import { compare } from 'uint8arrays/compare'

/** A value in MessagePack, optionally followed by a signature, and its expiration. */
export interface HivemindEntry {
  readonly value: Uint8Array

  /** DHT time, seconds. */
  readonly expirationTime: number
}

/** A subkey's MessagePack, one character a byte. */
export type SubkeyText = string

/** The content of a key. At one replica it is a plain value or a dictionary, never both. */
export interface HivemindRecord {
  readonly plain?: HivemindEntry

  /** In the order in which they were first stored. */
  readonly subkeys: ReadonlyMap<SubkeyText, HivemindEntry>
}

/** The empty record. */
export const EMPTY_RECORD: HivemindRecord = { subkeys: new Map() }

export function isEmpty({ plain, subkeys }: HivemindRecord): boolean {
  return plain === undefined && subkeys.size === 0
}

/** The latest expiration in a record; −∞ if it is empty. */
export function latestExpiration({ plain, subkeys }: HivemindRecord): number {
  let latest = plain?.expirationTime ?? Number.NEGATIVE_INFINITY

  for (const { expirationTime } of subkeys.values()) {
    latest = Math.max(latest, expirationTime)
  }

  return latest
}

/** Removes expired entries. */
export function prune(record: HivemindRecord, now: number): HivemindRecord {
  const { plain } = record
  const subkeys = new Map<SubkeyText, HivemindEntry>()

  for (const [subkey, entry] of record.subkeys) {
    if (entry.expirationTime > now) {
      subkeys.set(subkey, entry)
    }
  }

  const isPlainLive = plain === undefined || plain.expirationTime > now
  return isPlainLive && subkeys.size === record.subkeys.size
    ? record
    : recordOf(isPlainLive ? plain : undefined, subkeys)
}

/** The total order of entries: expiration, then bytes. Zero means that the two are equal. */
export function compareEntries(a: HivemindEntry, b: HivemindEntry): number {
  return a.expirationTime - b.expirationTime || compare(a.value, b.value)
}

/**
 * Merges the records of replicas. Hivemind's replicas keep the first of two entries with equal expirations and can
 * differ forever; readers that merge this way all get the same result. The operation is commutative, associative
 * and idempotent.
 */
export function join(a: HivemindRecord, b: HivemindRecord): HivemindRecord {
  const plain = later(a.plain, b.plain)
  const subkeys = new Map<SubkeyText, HivemindEntry>()
  const erasedUntil = plain?.expirationTime ?? Number.NEGATIVE_INFINITY

  for (const [subkey, entry] of [...a.subkeys, ...b.subkeys]) {
    if (entry.expirationTime > erasedUntil) {
      subkeys.set(subkey, later(subkeys.get(subkey), entry) as HivemindEntry)
    }
  }

  return recordOf(plain, subkeys)
}

/** The later of two entries in one place. */
export function later(
  a: HivemindEntry | undefined,
  b: HivemindEntry | undefined
): HivemindEntry | undefined {
  if (a === undefined || b === undefined) {
    return a ?? b
  }

  return compareEntries(a, b) >= 0 ? a : b
}

/** Makes a record of its parts. */
export function recordOf(
  plain: HivemindEntry | undefined,
  subkeys: ReadonlyMap<SubkeyText, HivemindEntry> = EMPTY_RECORD.subkeys
): HivemindRecord {
  return plain === undefined ? { subkeys } : { plain, subkeys }
}
