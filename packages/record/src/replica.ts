/**
 * @packageDocumentation
 *
 * The parts of a replica: for libraries that store, check and exchange records, and for tools that
 * look inside them. Applications need only `@waggle/record`.
 */

export {
  assertArray,
  assertBoolean,
  assertFunction,
  assertMethod,
  assertOptions,
  assertText,
  assertThat,
  type Check,
  isOptions,
  type Option,
  type OptionTable,
  shown
} from './argument-checks.ts'
export { beatingEntries } from './beating-entries.ts'
export { readRecord } from './check-record.ts'
export { encodedSize } from './codec/encode-record.ts'
export { compareEntries, isLive, isTombstone } from './entry.ts'
export { expirationOf, type Lifetime, type OptionalLifetime } from './expiration.ts'
export { subsumes } from './join.ts'
export { selectorFor } from './kad-dht/selector.ts'
export { type KadValidator, type NetworkRules, parseNetworkRules } from './kad-dht/validator.ts'
export {
  DEFAULT_LIMITS,
  MAX_CLOCK_SKEW,
  UNLIMITED
} from './limits.ts'
export { nearestNames } from './nearest-names.ts'
export { DEFAULT_NETWORK, type NetworkOptions, networkOf } from './network.ts'
export { newEntries } from './new-entries.ts'
export { verifySignature } from './owner/ed25519.ts'
export { isOwned, type Owner, placeOwner } from './owner/owner.ts'
export {
  assertSigned,
  isKeyOf,
  type SignedEntry,
  signedBytes,
  signedEntries
} from './owner/signature.ts'
export { project } from './project.ts'
export { firstExpiration, lastExpiration, prune } from './prune.ts'
export { assertValidator, refusalOf, type WithTimeout } from './validators/compose.ts'
export { assertSchema, issuesText, SEALED } from './validators/schema.ts'
export { submissionOf } from './validators/submission.ts'
export { isPromise, whenDone } from './validators/when-done.ts'
export { isRecordKey, NAMESPACE, parseSubkeyId, subkeyId } from './values/key.ts'
export type { Unstorable } from './values/storable.ts'
export { decodeValue, encodeValue } from './values/value-codec.ts'
export { shownExpiration, showsDictionary } from './view.ts'
