/**
 * @packageDocumentation
 *
 * For libraries: Waggle's lookups and record store without its node, for a transport, a wire protocol or a
 * simulated network of your own; and the parts that such a protocol needs besides: limits, bans, option checks. It
 * follows the code inside, and so changes more often than the entry for applications.
 */

export type { PeerInfo } from '@libp2p/interface'
export type { Buffering } from '../admission/buffer-limits.ts'
export { OpenRequests } from '../admission/open-requests.ts'
export { Scheduler } from '../admission/scheduler.ts'
export { TaskQueue } from '../admission/task-queue.ts'
export {
  CLOCK_ADVICE,
  type ClockReading,
  clockReading,
  describeSkew,
  isSkewed,
  median
} from '../clock-reading.ts'
export { BoundedMap } from '../collections/bounded-map.ts'
export {
  type ConnectedPeer,
  peersToDisconnect,
  type Watermarks
} from '../connections/budget-rule.ts'
export { type Door, doorOf } from '../door/door.ts'
export { guardedComponents, guardedStreams } from '../door/guarded-components.ts'
export { ExchangeServer } from '../exchange/exchange-server.ts'
export { EXCHANGE_PROTOCOL } from '../exchange/messages.ts'
export { backoffMs } from '../join/backoff.ts'
export { bootstrapHint } from '../join/bootstrap-hints.ts'
export { requestGuard, responseGuard } from '../kad/kad-guard.ts'
export type { Lookup, LookupResponse } from '../lookup/lookup.ts'
export { Lookups } from '../lookup/lookups.ts'
export type {
  FindOptions,
  FindReply,
  RecordChannel,
  SendOptions,
  StoreReply
} from '../lookup/record-channel.ts'
export { Search } from '../lookup/search.ts'
export type { SearchInit } from '../lookup/search-init.ts'
export { Meter } from '../metrics/meter.ts'
export { announcedAddress, listenAddress, peerAddress } from '../node/addresses.ts'
export { connectionLayers, type LayerServices } from '../node/connection-layers.ts'
export { guardedIdentifyPush } from '../node/identify-push.ts'
export { patientIdentify } from '../node/patient-identify.ts'
export { relayTransport } from '../node/relay.ts'
export { RELAYED_ADDRESS } from '../node/relayed-address.ts'
export { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
export type {
  CommonDHT,
  CommonFound,
  CommonGetOptions,
  CommonKey,
  CommonStoreEntry,
  CommonStoreOptions
} from '../operations/common-dht.ts'
export {
  asList,
  assertBoolean,
  assertCalled,
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
  type OptionTable
} from '../option-checks.ts'
export { Access, type AllowPeer } from '../peers/access.ts'
export { followConnections } from '../peers/follow-connections.ts'
export { pointOfKey, pointOfPeer } from '../peers/key-space.ts'
export { PeerBook } from '../peers/peer-book.ts'
export { PeerIndex } from '../peers/peer-index.ts'
export type { Routing } from '../peers/routing.ts'
export { identityAt } from '../persistence/identity.ts'
export {
  assertHivemindCacheOptions,
  type HivemindCacheOptions,
  type HivemindCachePolicy,
  hivemindCachePolicy
} from '../reading/cache-policy.ts'
export { Replicas } from '../reading/replicas.ts'
export { findWaggle } from '../service/find-waggle.ts'
export { THREADS_FOR_SIGNATURES } from '../store/native-ed25519.ts'
export { RecordStore } from '../store/record-store.ts'
export type { RecordStoreOptions } from '../store/record-store-options.ts'
export { Alarm } from '../timing/alarm.ts'
export { Calls } from '../timing/calls.ts'
export type { CancellationToken } from '../timing/cancellation.ts'
export { anySignal, timeoutSignal } from '../timing/deadline.ts'
export { type Due, DueQueue } from '../timing/due-queue.ts'
export { atEndOfTurn } from '../timing/end-of-turn.ts'
export { mapMany } from '../timing/many.ts'
export { TurnBudget } from '../timing/turn-budget.ts'
export { wait } from '../timing/wait.ts'
export { Pace } from '../upkeep/pace.ts'
export { ByteQueue } from '../wire/byte-queue.ts'
export { ProtocolServer } from '../wire/protocol-server.ts'
