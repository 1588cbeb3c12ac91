import { DEFAULT_LIMITS } from './constants.ts'
import { momentOf } from './expiration.ts'
import type { DHTRecord, DHTTime, Entry, Limits, Subkey, Value } from './interface.ts'
import { subkeyId } from './key.ts'
import { NO_SUBKEYS, record } from './record.ts'
import { encodeValue } from './value.ts'

/**
 * The record of one write: this value under the key itself.
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
 * The record of one write: this value under a subkey.
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

/** The record of one deletion (R9): of the whole key, or of one subkey. */
export function tombstoneRecord(
  expirationTime: DHTTime,
  { subkey, limits = DEFAULT_LIMITS }: { subkey?: Subkey | undefined; limits?: Limits } = {}
): DHTRecord {
  const entry = { expirationTime: momentOf(expirationTime) }

  return subkey === undefined
    ? record(entry, NO_SUBKEYS)
    : record(undefined, new Map([[subkeyId(subkey, limits), entry]]))
}

function valueEntry(value: Value, expirationTime: DHTTime, limits: Limits): Entry {
  return { expirationTime: momentOf(expirationTime), value: encodeValue(value, limits) }
}
