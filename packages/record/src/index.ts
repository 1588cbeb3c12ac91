/**
 * @packageDocumentation
 *
 * Waggle records: values that expire, dictionaries that many peers write to, and one rule that decides
 * which of two writes wins. Pure functions without I/O. The numbered rules (R1, R2, …) are those of
 * docs/records.md. Libraries that implement a replica find further parts in `@waggle/record/replica`.
 *
 * @example Let a plain kad-dht store Waggle records
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
 * @example Merge the records of two replicas
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
export { type CheckRecordOptions, checkRecord } from './check-record.ts'
export { decodeRecord } from './codec/decode-record.ts'
export { encodeRecord } from './codec/encode-record.ts'
export { DEFAULTS } from './defaults.ts'
export type { Entry } from './entry.ts'
export {
  InvalidExpirationError,
  InvalidKeyError,
  MalformedRecordError,
  RecordTooLargeError,
  ValidationError
} from './errors.ts'
export type { Lifetime, OptionalLifetime } from './expiration.ts'
export { Dictionary, type Found, type FoundValue } from './found.ts'
export { join } from './join.ts'
export { type RecordSelector, recordSelector } from './kad-dht/selector.ts'
export { recordValidator, recordValidatorFor } from './kad-dht/validator.ts'
export type { Limits, RuleOptions } from './limits.ts'
export type { VerifySignature } from './owner/ed25519.ts'
export { ownerOf, ownerTag } from './owner/owner.ts'
export { type SigningKey, signRecord } from './owner/signature.ts'
export { type DHTRecord, EMPTY_RECORD, isEmpty } from './record.ts'
export { type DHTTime, getDHTTime } from './time.ts'
export { type ComposedValidator, compose } from './validators/compose.ts'
export type { KeyPattern } from './validators/key-pattern.ts'
export { type OwnerValidatorOptions, ownerValidator } from './validators/owner.ts'
export type { RecordValidator, Verdict } from './validators/record-validator.ts'
export {
  type SchemaRule,
  type SchemaValidatorOptions,
  schemaValidator
} from './validators/schema.ts'
export type { Submission } from './validators/submission.ts'
export type { MaybePromise } from './validators/when-done.ts'
export { parseRecordKey, recordKey, type SubkeyId } from './values/key.ts'
export type { Storable } from './values/storable.ts'
export type { Key, Subkey, Value } from './values/value.ts'
export { view } from './view.ts'
export { plainRecord, subkeyRecord, tombstoneRecord } from './write.ts'
