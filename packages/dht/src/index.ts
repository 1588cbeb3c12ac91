/**
 * @packageDocumentation
 *
 * A distributed dictionary for libp2p: any peer can store and get, every value expires, the later
 * expiration wins, and many peers can add subkeys to one value without losing a write.
 *
 * @example Two peers
 *
 * ```ts
 * import { DHT, getDHTTime } from '@waggle/dht'
 *
 * await using first = await DHT.create({ listenOn: '127.0.0.1:1337' })
 * await using second = await DHT.create({ initialPeers: ['127.0.0.1:1337'] })
 *
 * await first.store('my_key', ['i', 'love', 'bees'], { expirationTime: getDHTTime() + 600 })
 * const found = await second.get('my_key', { latest: true })
 *
 * found?.value // ['i', 'love', 'bees']
 * ```
 *
 * @example In a libp2p node that is already there
 *
 * ```ts
 * import { noise } from '@chainsafe/libp2p-noise'
 * import { yamux } from '@chainsafe/libp2p-yamux'
 * import { identify } from '@libp2p/identify'
 * import { ping } from '@libp2p/ping'
 * import { tcp } from '@libp2p/tcp'
 * import { DHT, waggle, waggleKadDHT } from '@waggle/dht'
 * import { createLibp2p } from 'libp2p'
 *
 * const node = await createLibp2p({
 *   addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
 *   transports: [tcp()],
 *   connectionEncrypters: [noise()],
 *   streamMuxers: [yamux()],
 *   services: { identify: identify(), ping: ping(), dht: waggleKadDHT(), waggle: waggle() }
 * })
 * const dht = await DHT.create({ libp2p: node })
 * ```
 */

export type {
  Found,
  FoundValue,
  Key,
  KeyPattern,
  Limits,
  OwnerValidatorOptions,
  RecordValidator,
  SchemaRule,
  SchemaValidatorOptions,
  SigningKey,
  Subkey,
  Submission,
  Value,
  Verdict
} from '@waggle/record'
export {
  compose,
  getDHTTime,
  InvalidExpirationError,
  InvalidKeyError,
  MalformedRecordError,
  ownerTag,
  ownerValidator,
  RecordTooLargeError,
  recordSelector,
  schemaValidator,
  ValidationError
} from '@waggle/record'
export type { Lifetime } from '@waggle/record/replica'
export type { ClockReading } from './clock-reading.ts'
export {
  DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  DEFAULT_CALL_TIMEOUT_MS,
  DEFAULT_DURABILITY,
  DEFAULT_KAD_PROTOCOL,
  DEFAULT_NUM_REPLICAS,
  DEFAULT_REQUEST_TIMEOUT_MS,
  RELAXED_FLUSH_MS
} from './constants.ts'
export { DHT } from './dht.ts'
export type { BootstrapAttempt } from './errors.ts'
export {
  BootstrapError,
  BusyError,
  ClockSkewError,
  DataDirError,
  ListenError,
  TimeoutError,
  UnreachableError
} from './errors.ts'
export type { ClockSkew, DHTEvents, DiskState, RecordNotice } from './events.ts'
export type { RecordsInit, WaggleKadDHTInit } from './kad/waggle-kad-dht.ts'
export { waggleKadDHT } from './kad/waggle-kad-dht.ts'
export type { Address } from './node/addresses.ts'
export { coalescingMuxer } from './node/coalescing-muxer.ts'
export type { DHTOptions } from './node/options.ts'
export { unfragmentedWrites } from './node/unfragmented-writes.ts'
export type { NodeLimits } from './node-limits.ts'
export {
  DEFAULT_MAX_BUFFERED_BYTES,
  DEFAULT_MAX_BUFFERED_BYTES_PER_PEER,
  DEFAULT_MAX_CACHED_BYTES,
  DEFAULT_MAX_CALLS,
  DEFAULT_MAX_DIALS_PER_SECOND,
  DEFAULT_MAX_KEYS_PER_SECOND,
  DEFAULT_MAX_KEYS_PER_SECOND_PER_PEER,
  DEFAULT_MAX_LOOKUP_CANDIDATES,
  DEFAULT_MAX_LOOKUP_REQUESTS,
  DEFAULT_MAX_MESSAGE_BYTES,
  DEFAULT_MAX_QUESTION_BYTES_PER_PEER,
  DEFAULT_MAX_QUESTIONS_PER_PEER,
  DEFAULT_MAX_REQUESTS,
  DEFAULT_MAX_REQUESTS_PER_PEER,
  DEFAULT_MAX_STORED_BYTES,
  DEFAULT_MAX_STORED_BYTES_PER_PEER,
  DEFAULT_MAX_STORED_RECORDS,
  DEFAULT_MAX_STORED_RECORDS_PER_PEER,
  DEFAULT_NODE_LIMITS
} from './node-limits.ts'
export type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  GetProgressEvent,
  PlaceOptions,
  SigningOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions,
  WatchOptions
} from './operations/call-options.ts'
export type {
  CommonDHT,
  CommonFound,
  CommonGetOptions,
  CommonKey,
  CommonStoreEntry,
  CommonStoreOptions
} from './operations/common-dht.ts'
export type { WaggleOperations } from './operations/waggle-operations.ts'
export type { AllowPeer, Purpose } from './peers/access.ts'
export type { Durability, PersistenceStats } from './persistence/disk.ts'
export type { PeerMemory } from './persistence/peer-memory.ts'
export type { PersistenceOptions } from './persistence/persistence.ts'
export type { CacheOptions } from './reading/cache-policy.ts'
export {
  DEFAULT_CACHE_NEAREST,
  DEFAULT_MAX_CACHED_RECORDS,
  DEFAULT_REFRESH_BEFORE_EXPIRY
} from './reading/cache-policy.ts'
export { waggle } from './service/service.ts'
export type { Waggle, WaggleComponents, WaggleInit } from './service/service-interface.ts'
export type { Stats } from './service/stats.ts'
export type { HeldRecord } from './store/held-record.ts'
export type { RecordStoreOptions } from './store/record-store.ts'
export { recordValidator } from './store/record-validator.ts'
export type { CallOptions } from './timing/calls.ts'
