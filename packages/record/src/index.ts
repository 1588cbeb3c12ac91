/**
 * @packageDocumentation
 *
 * What a Waggle record is: values that expire, subkeys, and one rule for which of two values wins.
 * Pure functions; the numbered rules (R1, R2, …) are those of docs/records.md.
 *
 * @example Let a stock kad-dht store Waggle records
 *
 * ```ts
 * import { kadDHT } from '@libp2p/kad-dht'
 * import { recordSelector, recordValidator } from '@waggle/record'
 *
 * const dht = kadDHT({
 *   validators: { waggle: recordValidator },
 *   selectors: { waggle: recordSelector }
 * })
 * ```
 *
 * @example Write and read such a record through any libp2p node
 *
 * ```ts
 * import { decodeRecord, encodeRecord, getDHTTime, plainRecord, recordKey, view } from '@waggle/record'
 * import type { Libp2p } from 'libp2p'
 *
 * export async function greet(node: Libp2p) {
 *   const record = plainRecord('hello', getDHTTime() + 600)
 *   await node.contentRouting.put(recordKey('greeting'), encodeRecord(record))
 *
 *   return view(decodeRecord(await node.contentRouting.get(recordKey('greeting'))))
 * }
 * ```
 *
 * @example Merge what two replicas hold
 *
 * ```ts
 * import { getDHTTime, join, subkeyRecord, view } from '@waggle/record'
 *
 * const soon = getDHTTime() + 60
 * const party = join(subkeyRecord('alice', 'yes', soon), subkeyRecord('carol', 'no', soon))
 *
 * view(party)?.value // Map { 'alice' => { value: 'yes', … }, 'carol' => { value: 'no', … } }
 * ```
 */

export { type Applied, apply, type Rejection } from './apply.ts'
export {
  DEFAULT_LIMITS,
  DEFAULT_MAX_KEY_BYTES,
  DEFAULT_MAX_RECORD_BYTES,
  DEFAULT_MAX_SUBKEY_BYTES,
  DEFAULT_MAX_SUBKEYS,
  DEFAULT_MAX_TTL,
  DEFAULT_MAX_VALUE_BYTES,
  MAX_CLOCK_SKEW,
  MAX_VALUE_DEPTH,
  NAMESPACE
} from './constants.ts'
export { decodeRecord } from './decode-record.ts'
export { verifySignature } from './ed25519.ts'
export { encodedSize, encodeRecord } from './encode-record.ts'
export { compareEntries, isLive, isTombstone, later } from './entry.ts'
export {
  InvalidExpirationError,
  InvalidKeyError,
  MalformedRecordError,
  RecordTooLargeError,
  ValidationError
} from './errors.ts'
export { expirationOf, type Lifetime } from './expiration.ts'
export type {
  DHTRecord,
  DHTTime,
  Entry,
  Found,
  FoundValue,
  Key,
  Limits,
  Owner,
  RuleOptions,
  SigningKey,
  Subkey,
  SubkeyId,
  Value,
  VerifySignature
} from './interface.ts'
export { isRecordKey, parseRecordKey, parseSubkeyId, recordKey, subkeyId } from './key.ts'
export { fastVerify, verifyInThread } from './native-ed25519.ts'
export { isOwned, ownerOf, ownerTag } from './owner.ts'
export {
  EMPTY_RECORD,
  firstExpiration,
  isEmpty,
  join,
  lastExpiration,
  prune,
  subsumes
} from './record.ts'
export { RECORD_VERSION } from './record-format.ts'
export { type RecordSelector, recordSelector, selectorFor } from './selector.ts'
export {
  assertSigned,
  isKeyOf,
  type SignedEntry,
  signedBytes,
  signedEntries,
  signRecord
} from './signature.ts'
export { getDHTTime } from './time.ts'
export { checkRecord, readRecord, recordValidator } from './validator.ts'
export { type ComposedValidator, compose, type Patience, refusalOf } from './validators/compose.ts'
export type { RecordValidator, Submission, Verdict } from './validators/interface.ts'
export type { KeyPattern } from './validators/key-pattern.ts'
export { type OwnerValidatorOptions, ownerValidator } from './validators/owner.ts'
export {
  type SchemaRule,
  type SchemaValidatorOptions,
  schemaValidator
} from './validators/schema.ts'
export { submissionOf } from './validators/submission.ts'
export { decodeValue, encodeValue } from './value.ts'
export { shownExpiration, view } from './view.ts'
export { isPromise, type MaybePromise, whenDone } from './when-done.ts'
export { plainRecord, subkeyRecord, tombstoneRecord } from './write.ts'
