import { bytesOf, textOf } from '../bytes/latin1.ts'
import { decodeDictionary, encodeDictionary } from '../record/dictionary.ts'
import type { HivemindRecord } from '../record/record.ts'
import { latestExpiration } from '../record/record.ts'
import type { HivemindWrite } from '../record/write.ts'
import type { FoundBytes, StoreItem } from '../wire/items.ts'
import { DEFAULT_HIVEMIND_LIMITS } from './limits.ts'

/** MessagePack of null, the subkey of a plain value. */
const PLAIN = Uint8Array.of(0xc0)

/**
 * The writes of an item: one, or the entries of a dictionary, whose own expiration is ignored. Of a dictionary with
 * more than `maxEntries`, there is one more than these.
 *
 * @throws MalformedBytesError for an invalid dictionary
 */
export function writesOf(
  { subkey, value, expirationTime }: StoreItem,
  maxEntries: number = DEFAULT_HIVEMIND_LIMITS.maxSubkeys
): HivemindWrite[] {
  if (subkey.length === 0) {
    return decodeDictionary(value, maxEntries + 1).map(([text, entry]) => ({
      ...entry,
      subkey: text
    }))
  }

  const isPlain = subkey.length === 1 && subkey[0] === PLAIN[0]
  // A copy, because a view would keep the whole message in memory.
  return [{ subkey: isPlain ? undefined : textOf(subkey), value: value.slice(), expirationTime }]
}

/** A record as Python's replicas encode it; undefined if it is empty. */
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

/**
 * The items that store a record at another node, entry by entry: a replica stops reading a dictionary at the first
 * entry that it refuses.
 */
export function itemsOf(
  key: Uint8Array,
  { plain, subkeys }: HivemindRecord,
  { isInCache = false }: { isInCache?: boolean } = {}
): StoreItem[] {
  const items = Array.from(subkeys, ([subkey, entry]) => ({
    ...entry,
    ...{ key, isInCache },
    subkey: bytesOf(subkey)
  }))
  return plain === undefined || items.length > 0
    ? items
    : [{ ...plain, key, isInCache, subkey: PLAIN }]
}

/** The item of one write. */
export function itemOf(
  key: Uint8Array,
  { subkey, value, expirationTime }: HivemindWrite
): StoreItem {
  return {
    ...{ key, value, expirationTime, isInCache: false },
    subkey: subkey === undefined ? PLAIN : bytesOf(subkey)
  }
}
