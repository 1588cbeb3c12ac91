import { isTombstone } from './entry.ts'
import type { DHTRecord, DHTTime, Entry, Found, Subkey, Value } from './interface.ts'
import { parseSubkeyId } from './key.ts'
import { prune, showsDictionary } from './record.ts'
import { getDHTTime } from './time.ts'
import { decodeValue } from './value.ts'

/**
 * What a reader sees (R8): the live subkeys that have a value, as a Map in the order of the
 * subkeys' bytes, expiring with the last of them; or else the live plain value; or else nothing.
 */
export function view(from: DHTRecord, now: DHTTime = getDHTTime()): Found | undefined {
  const live = prune(from, now)

  if (showsDictionary(live)) {
    return dictionary(live)
  }

  return live.plain === undefined ? undefined : found(live.plain)
}

/** When what {@link view} shows expires, without decoding it; undefined if it shows nothing. */
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

function dictionary({ subkeys }: DHTRecord): Found {
  const value = new Map<Subkey, Found<Value>>()
  let expirationTime = 0

  for (const [id, entry] of subkeys) {
    const shown = found(entry)

    if (shown !== undefined) {
      value.set(parseSubkeyId(id), shown)
      expirationTime = Math.max(expirationTime, shown.expirationTime)
    }
  }

  return { value, expirationTime }
}

function found({ value, expirationTime }: Entry): Found<Value> | undefined {
  return value === undefined ? undefined : { value: decodeValue(value), expirationTime }
}
