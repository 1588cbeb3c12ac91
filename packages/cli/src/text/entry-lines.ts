import type { HeldRecord } from '@waggle/dht'
import type { Entry, Value } from '@waggle/record'
import { decodeValue, isTombstone, parseSubkeyId } from '@waggle/record/replica'
import type { Json } from './json.ts'
import { jsonOf } from './value-text.ts'

/** One line of an export: one write that an import can repeat. */
export type EntryLine = { readonly [name: string]: Json }

/** Lists the writes in a record. A signed write is marked, because only its owner can repeat it. */
export function* entriesOf({ key, record }: HeldRecord): Generator<EntryLine, void, undefined> {
  const place = { key: jsonOf(key) }

  if (record.plain !== undefined) {
    yield entryLine(place, record.plain)
  }

  for (const [subkey, entry] of record.subkeys) {
    yield entryLine({ ...place, subkey: jsonOf(parseSubkeyId(subkey)) }, entry)
  }
}

function entryLine(place: EntryLine, entry: Entry): EntryLine {
  return {
    ...place,
    ...(isTombstone(entry)
      ? { deleted: true }
      : { value: jsonOf(decodeValue(entry.value as Uint8Array) as Value) }),
    expirationTime: entry.expirationTime,
    ...(entry.signature !== undefined && { signed: true })
  }
}
