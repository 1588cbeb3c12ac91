import { type Entry, isTombstone } from './entry.ts'
import { prune } from './prune.ts'
import type { DHTRecord } from './record.ts'
import { type DHTTime, getDHTTime } from './time.ts'
import { parseSubkeyId } from './values/key.ts'
import type { Subkey, Value } from './values/value.ts'
import { decodeValue } from './values/value-codec.ts'

/** A live value and its expiration. */
export interface Found<V = FoundValue> {
  readonly value: V
  readonly expirationTime: DHTTime
}

/** A plain value, or the dictionary that many peers write together. */
export type FoundValue = Value | ReadonlyMap<Subkey, Found<Value>>

/**
 * Shows a reader's view of a record (R8): if any live subkey has a value, a Map of them in the order
 * of the subkeys' bytes, which expires with the last of them. Otherwise the live plain value.
 * Otherwise undefined.
 */
export function view(from: DHTRecord, now: DHTTime = getDHTTime()): Found | undefined {
  const live = prune(from, now)

  if (showsDictionary(live)) {
    return foundDictionary(live)
  }

  return live.plain === undefined ? undefined : foundValue(live.plain)
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

function foundDictionary({ subkeys }: DHTRecord): Found {
  const value = new Map<Subkey, Found<Value>>()
  let expirationTime = 0

  for (const [id, entry] of subkeys) {
    const found = foundValue(entry)

    if (found !== undefined) {
      value.set(parseSubkeyId(id), found)
      expirationTime = Math.max(expirationTime, found.expirationTime)
    }
  }

  return { value, expirationTime }
}

function foundValue({ value, expirationTime }: Entry): Found<Value> | undefined {
  return value === undefined ? undefined : { value: decodeValue(value), expirationTime }
}
