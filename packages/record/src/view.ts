import { type Entry, isTombstone } from './entry.ts'
import { Dictionary, type Found } from './found.ts'
import { ownerOfKey, ownerWithin } from './owner/owner.ts'
import { prune } from './prune.ts'
import type { DHTRecord } from './record.ts'
import { type DHTTime, getDHTTime } from './time.ts'
import { parseSubkeyId, type SubkeyId } from './values/key.ts'
import type { Value } from './values/value.ts'
import { decodeValue } from './values/value-codec.ts'

/**
 * Shows a reader's view of a record (R8): if any live subkey has a value, a dictionary of them in the
 * order of the subkeys' bytes, which expires with the last of them. Otherwise the live plain value.
 * Otherwise undefined. With the record's key, it says who owns what.
 */
export function view(
  from: DHTRecord,
  now: DHTTime = getDHTTime(),
  key?: Uint8Array
): Found | undefined {
  const live = prune(from, now)
  const keyOwner = key && ownerOfKey(key)

  if (showsDictionary(live)) {
    return foundDictionary(live, (id) => key && ownerWithin(keyOwner, id)?.id)
  }

  return live.plain === undefined ? undefined : foundValue(live.plain, keyOwner?.id)
}

/** The expiration that {@link view} gives, without decoding the value; undefined if it gives nothing. */
export function shownExpiration(from: DHTRecord, now: DHTTime = getDHTTime()): DHTTime | undefined {
  const { plain, subkeys } = prune(from, now)
  let last: DHTTime | undefined

  for (const entry of subkeys.values()) {
    if (!isTombstone(entry)) {
      last = Math.max(last ?? 0, entry.expirationTime)
    }
  }

  if (last !== undefined) {
    return last
  }

  return plain === undefined || isTombstone(plain) ? undefined : plain.expirationTime
}

/** Whether the dictionary hides the plain entry (R8). Expects a pruned record. */
export function showsDictionary({ subkeys }: DHTRecord): boolean {
  for (const entry of subkeys.values()) {
    if (!isTombstone(entry)) {
      return true
    }
  }

  return false
}

function foundDictionary(
  { subkeys }: DHTRecord,
  ownerOf: (id: SubkeyId) => string | undefined
): Found {
  const value = new Dictionary()
  let expirationTime = 0

  for (const [id, entry] of subkeys) {
    const found = foundValue(entry, ownerOf(id))

    if (found !== undefined) {
      value.set(parseSubkeyId(id), found)
      expirationTime = Math.max(expirationTime, found.expirationTime)
    }
  }

  return { value, expirationTime }
}

function foundValue({ value, expirationTime }: Entry, owner?: string): Found<Value> | undefined {
  return value === undefined
    ? undefined
    : { value: decodeValue(value), expirationTime, ...(owner !== undefined && { owner }) }
}
