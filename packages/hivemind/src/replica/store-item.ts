import { textOf } from '../bytes/latin1.ts'
import type { HivemindWrite } from '../record/apply.ts'
import { decodeDictionary, encodeDictionary } from '../record/dictionary.ts'
import type { HivemindRecord } from '../record/record.ts'
import { latestExpiration } from '../record/record.ts'

/** One item of a store request. */
export interface StoreItem {
  readonly key: Uint8Array

  /** MessagePack of the subkey; null: a plain value; empty: a whole dictionary. */
  readonly subkey: Uint8Array
  readonly value: Uint8Array
  readonly expirationTime: number

  /** Whether the receiver may forget it early. */
  readonly isInCache: boolean
}

/** MessagePack of null: the value belongs to the key itself. */
const PLAIN = Uint8Array.of(0xc0)

const WHOLE = new Uint8Array(0)

/**
 * The writes of an item: one, or all entries of a dictionary, whose own expiration says nothing.
 *
 * @throws MalformedBytesError for a dictionary that is none
 */
export function writesOf({ subkey, value, expirationTime }: StoreItem): HivemindWrite[] {
  if (subkey.length === 0) {
    return decodeDictionary(value).map(([text, entry]) => ({ ...entry, subkey: text }))
  }

  const isPlain = subkey.length === 1 && subkey[0] === PLAIN[0]
  return [{ subkey: isPlain ? undefined : textOf(subkey), value, expirationTime }]
}

/** What a find answers, of all that a key holds. */
export interface FoundBytes {
  readonly isDictionary: boolean
  readonly value: Uint8Array
  readonly expirationTime: number
}

/** A record as Python's replicas show it; undefined if there is nothing. */
export function foundBytes(record: HivemindRecord): FoundBytes | undefined {
  if (record.subkeys.size > 0) {
    return {
      isDictionary: true,
      value: encodeDictionary(record.subkeys),
      expirationTime: latestExpiration({ subkeys: record.subkeys })
    }
  }

  return record.plain && { isDictionary: false, ...record.plain }
}

/** The item that hands over a whole record. */
export function handedOver(
  key: Uint8Array,
  { isDictionary, value, expirationTime }: FoundBytes,
  { isInCache }: { isInCache: boolean }
): StoreItem {
  return { key, subkey: isDictionary ? WHOLE : PLAIN, value, expirationTime, isInCache }
}
