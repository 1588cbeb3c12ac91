import { decodeRecord } from './codec/decode-record.ts'
import type { Entry } from './entry.ts'
import { RecordTooLargeError, ValidationError } from './errors.ts'
import { isTooFar } from './expiration.ts'
import { DEFAULT_LIMITS, type Limits, MAX_CLOCK_SKEW, type RuleOptions } from './limits.ts'
import type { NetworkOptions } from './network.ts'
import type { VerifySignature } from './owner/ed25519.ts'
import { assertSigned, signedEntries } from './owner/signature.ts'
import { prune } from './prune.ts'
import { type DHTRecord, isEmpty } from './record.ts'
import { type DHTTime, getDHTTime } from './time.ts'
import { assertRecordKey } from './values/key.ts'

/** The time, the limits, the network and the cryptography that {@link checkRecord} applies. */
export interface CheckRecordOptions extends RuleOptions, NetworkOptions {
  /**
   * Must agree with the default about every signature.
   *
   * @default verifySignature
   */
  readonly verify?: VerifySignature
}

/**
 * Reads a record that a peer sent for a key and checks it against every rule: the bytes (R10), the
 * limits (R12), the expirations (R14, with {@link MAX_CLOCK_SKEW} tolerance) and the owners'
 * signatures (R15). Leaves out what has expired (R1).
 *
 * @throws InvalidKeyError, MalformedRecordError, RecordTooLargeError or ValidationError
 */
export function checkRecord(
  key: Uint8Array,
  bytes: Uint8Array,
  options: CheckRecordOptions = {}
): DHTRecord {
  const record = readRecord(key, bytes, options)

  for (const signed of signedEntries(key, record, options.network)) {
    assertSigned(signed, options.verify)
  }

  return record
}

/**
 * Does all that {@link checkRecord} does except verify signatures, which takes long: pass the result
 * to `signedEntries`, and each of those to `assertSigned`.
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
    assertEntry(record.plain, now, limits)
  }

  for (const [id, entry] of record.subkeys) {
    assertAtMost(id.length, limits.maxSubkeyBytes, 'a subkey takes', 'bytes')
    assertEntry(entry, now, limits)
  }

  const live = prune(record, now)

  if (isEmpty(live)) {
    throw new ValidationError('the record has expired: it has no live entry')
  }

  return live
}

function assertEntry(entry: Entry, now: DHTTime, limits: Limits): void {
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
