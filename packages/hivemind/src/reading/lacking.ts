import {
  type HivemindEntry,
  type HivemindRecord,
  latestExpiration,
  recordOf
} from '../record/record.ts'

/**
 * The part of a record that a Hivemind replica would accept, given its own record: entries that expire later than
 * those in their places.
 */
export function lacking(held: HivemindRecord, record: HivemindRecord): HivemindRecord {
  const { plain, subkeys } = record

  if (subkeys.size === 0) {
    const isLater = plain !== undefined && plain.expirationTime > latestExpiration(held)
    return recordOf(isLater ? plain : undefined)
  }

  const missing = new Map<string, HivemindEntry>()

  for (const [subkey, entry] of subkeys) {
    const rival = held.plain ?? held.subkeys.get(subkey)

    if (rival === undefined || entry.expirationTime > rival.expirationTime) {
      missing.set(subkey, entry)
    }
  }

  return recordOf(undefined, missing)
}
