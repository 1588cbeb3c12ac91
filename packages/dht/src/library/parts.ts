/**
 * @packageDocumentation
 *
 * For libraries that speak another wire protocol: Waggle's lookups, limits and option checks. It
 * follows the code inside, and so changes more often than the entry for applications.
 */

export { type Buffering, BufferLimits } from '../admission/buffer-limits.ts'
export { Scheduler } from '../admission/scheduler.ts'
export { CLOCK_ADVICE, clockReading, describeSkew, isSkewed } from '../clock-reading.ts'
export { BoundedMap } from '../collections/bounded-map.ts'
export { backoffMs, wait } from '../join/backoff.ts'
export { bootstrapHint } from '../join/bootstrap-hints.ts'
export { type Lookup, type LookupResponse, Lookups } from '../lookup/lookups.ts'
export { Search, type SearchInit } from '../lookup/search.ts'
export { announcedAddress, listenAddress, peerAddress } from '../node/addresses.ts'
export { identityAt } from '../node/identity.ts'
export { patientIdentify } from '../node/patient-identify.ts'
export { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
export {
  assertBoolean,
  assertEach,
  assertFunction,
  assertInteger,
  assertMembers,
  assertMethod,
  assertObject,
  assertOptions,
  assertPositive,
  assertText,
  assertThat,
  type Check,
  list
} from '../option-checks.ts'
export { Access, type AllowPeer } from '../peers/access.ts'
export { followConnections } from '../peers/follow-connections.ts'
export { roughDistance } from '../peers/key-space.ts'
export { PeerBook } from '../peers/peer-book.ts'
export { PeerIndex } from '../peers/peer-index.ts'
export { assertCacheOptions, type CachePolicy, cachePolicy } from '../reading/cache-policy.ts'
export { Alarm } from '../timing/alarm.ts'
export { Calls } from '../timing/calls.ts'
export type { CancellationToken } from '../timing/cancellation.ts'
export { anySignal, timeoutSignal } from '../timing/deadline.ts'
export { type Due, DueQueue } from '../timing/due-queue.ts'
export { atEndOfTurn } from '../timing/end-of-turn.ts'
export { mapMany } from '../timing/many.ts'
