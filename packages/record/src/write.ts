import type { Entry } from './entry.ts'
import { parseTimestamp } from './expiration.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { type DHTRecord, NO_SUBKEYS, record } from './record.ts'
import type { DHTTime } from './time.ts'
import { subkeyId } from './values/key.ts'
import type { Subkey, Value } from './values/value.ts'
import { encodeValue } from './values/value-codec.ts'

/**
 * Makes the record of one write: a value under the key itself.
 *
 * @throws TypeError, RecordTooLargeError or InvalidExpirationError
 */
export function plainRecord(
  value: Value,
  expirationTime: DHTTime,
  limits: Limits = DEFAULT_LIMITS
): DHTRecord {
  return record(valueEntry(value, expirationTime, limits), NO_SUBKEYS)
}

/**
 * Makes the record of one write: a value under a subkey.
 *
 * @throws TypeError, InvalidKeyError, RecordTooLargeError or InvalidExpirationError
 */
export function subkeyRecord(
  subkey: Subkey,
  value: Value,
  expirationTime: DHTTime,
  limits: Limits = DEFAULT_LIMITS
): DHTRecord {
  const entry = valueEntry(value, expirationTime, limits)
  return record(undefined, new Map([[subkeyId(subkey, limits), entry]]))
}

/**
 * Makes the record of one deletion (R9): of the whole key, or of one subkey.
 *
 * @throws TypeError, InvalidKeyError or InvalidExpirationError
 */
export function tombstoneRecord(
  expirationTime: DHTTime,
  { subkey, limits = DEFAULT_LIMITS }: { subkey?: Subkey | undefined; limits?: Limits } = {}
): DHTRecord {
  const entry = { expirationTime: parseTimestamp(expirationTime) }

  return subkey === undefined
    ? record(entry, NO_SUBKEYS)
    : record(undefined, new Map([[subkeyId(subkey, limits), entry]]))
}

function valueEntry(value: Value, expirationTime: DHTTime, limits: Limits): Entry {
  return { expirationTime: parseTimestamp(expirationTime), value: encodeValue(value, limits) }
}
