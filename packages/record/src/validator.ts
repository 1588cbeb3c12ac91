import { DEFAULT_LIMITS, MAX_CLOCK_SKEW } from './constants.ts'
import { decodeRecord } from './decode-record.ts'
import { RecordTooLargeError, ValidationError } from './errors.ts'
import { isTooFar } from './expiration.ts'
import type { DHTRecord, DHTTime, Entry, Limits, RuleOptions } from './interface.ts'
import { assertRecordKey } from './key.ts'
import { isEmpty, prune } from './record.ts'
import { assertSigned, signedEntries } from './signature.ts'
import { assertAllSigned } from './signature-turns.ts'
import { getDHTTime } from './time.ts'

/**
 * Reads what a peer sent for a key and checks it against every rule: the bytes (R10), the limits
 * (R12), the expirations (R14, with a little patience for clocks that differ) and the owners'
 * signatures (R15). What has expired is left out (R1).
 *
 * @throws InvalidKeyError, MalformedRecordError, RecordTooLargeError or ValidationError
 */
export function checkRecord(
  key: Uint8Array,
  bytes: Uint8Array,
  options: RuleOptions = {}
): DHTRecord {
  const record = readRecord(key, bytes, options)

  for (const signed of signedEntries(key, record)) {
    assertSigned(signed, options.verify)
  }

  return record
}

/**
 * Checks all that {@link checkRecord} does but the signatures, which take long: these are for
 * `signedEntries` and `assertSigned`.
 *
 * @throws InvalidKeyError, MalformedRecordError, RecordTooLargeError or ValidationError
 */
export function readRecord(
  key: Uint8Array,
  bytes: Uint8Array,
  options: RuleOptions = {}
): DHTRecord {
  const { now = getDHTTime(), limits = DEFAULT_LIMITS } = options
  assertRecordKey(key, limits)
  assertAtMost(bytes.length, limits.maxRecordBytes, 'the record takes', 'bytes')

  const record = decodeRecord(bytes, limits)

  if (record.plain !== undefined) {
    checkEntry(record.plain, now, limits)
  }

  for (const [id, entry] of record.subkeys) {
    assertAtMost(id.length, limits.maxSubkeyBytes, 'a subkey takes', 'bytes')
    checkEntry(entry, now, limits)
  }

  const live = prune(record, now)

  if (isEmpty(live)) {
    throw new ValidationError('nothing in the record is live: it has expired')
  }

  return live
}

/**
 * The validator that makes a stock kad-dht refuse what is not a live, canonical record within the
 * default limits: `kadDHT({ validators: { waggle: recordValidator } })`. Many signatures it
 * verifies bit by bit, so that they keep nobody waiting.
 *
 * Rejects as {@link checkRecord} throws.
 */
export async function recordValidator(key: Uint8Array, value: Uint8Array): Promise<void> {
  await assertAllSigned(signedEntries(key, readRecord(key, value)))
}

function checkEntry(entry: Entry, now: DHTTime, limits: Limits): void {
  assertAtMost(entry.value?.length ?? 0, limits.maxValueBytes, 'a value takes', 'bytes')

  if (isTooFar(entry.expirationTime, now + MAX_CLOCK_SKEW, limits)) {
    throw new ValidationError(
      `expirationTime ${entry.expirationTime} is more than ${limits.maxTtl} seconds ahead of ${now}`
    )
  }
}

function assertAtMost(count: number, most: number, what: string, unit: string): void {
  if (count > most) {
    throw new RecordTooLargeError(`${what} ${count} ${unit}, at most ${most} are allowed`)
  }
}
