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
 * await using first = await DHT.create({ listenOn: '127.0.0.1:0' })
 * await using second = await DHT.create({ initialPeers: first.multiaddrs })
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
 * import { noise } from '@libp2p/noise'
 * import { yamux } from '@libp2p/yamux'
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
  Lifetime,
  Limits,
  RecordValidator,
  SigningKey,
  Subkey,
  Value
} from '@waggle/record'
export {
  compose,
  Dictionary,
  getDHTTime,
  InvalidExpirationError,
  InvalidKeyError,
  ownerOf,
  ownerTag,
  ownerValidator,
  RecordTooLargeError,
  recordSelector,
  schemaValidator,
  ValidationError
} from '@waggle/record'
export { DHT } from './dht.ts'
export {
  BootstrapError,
  BusyError,
  ClockSkewError,
  DataDirError,
  ListenError,
  NotReadError,
  TimeoutError,
  UnreachableError
} from './errors.ts'
export type { ClockSkew, DHTEvents } from './events.ts'
export type { WaggleKadDHTInit } from './kad/kad-options.ts'
export { waggleKadDHT } from './kad/waggle-kad-dht.ts'
export type { WatchOptions } from './live/watch.ts'
export type { Address } from './node/addresses.ts'
export { DEFAULTS } from './node/defaults.ts'
export type { DHTOptions } from './node/options.ts'
export type { NodeLimits } from './node-limits.ts'
export type {
  DeleteOptions,
  GetManyOptions,
  GetOptions,
  StoreEntry,
  StoreOptions
} from './operations/call-options.ts'
export type { Publication } from './operations/publication.ts'
export { NotStoredError, type StoreReport } from './operations/store-report.ts'
export type { WaggleOperations } from './operations/waggle-operations.ts'
export type { AllowPeer } from './peers/access.ts'
export type { Durability } from './persistence/disk.ts'
export type { CacheOptions } from './reading/cache-policy.ts'
export { waggle } from './service/service.ts'
export type { Waggle } from './service/service-interface.ts'
export type { WaggleInit } from './service/service-options.ts'
export type { Stats } from './service/stats.ts'
export type { HeldRecord } from './store/held-record.ts'
export { recordValidator, recordValidatorFor } from './store/record-validator.ts'
export type { CallOptions } from './timing/calls.ts'
