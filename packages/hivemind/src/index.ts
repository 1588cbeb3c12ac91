/**
 * @packageDocumentation
 *
 * Joins the DHT of Python Hivemind from JavaScript: reads, writes and serves its records, over its
 * own wire protocol.
 *
 * @example Read what a Python peer has stored
 *
 * ```ts
 * import { HivemindDHT } from '@waggle/hivemind'
 *
 * await using dht = await HivemindDHT.create({
 *   initialPeers: ['/ip4/203.0.113.7/tcp/31337/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'],
 *   clientMode: true
 * })
 * const found = await dht.get('party', { latest: true })
 * ```
 *
 * @example Store types that Python distinguishes and JavaScript does not
 *
 * ```ts
 * import { float, type HivemindDHT, tuple } from '@waggle/hivemind'
 *
 * export async function announce(dht: HivemindDHT) {
 *   await dht.store(tuple('layer', 3), tuple(2, float(12)), { subkey: 'server', ttl: 120 })
 * }
 * ```
 */

export {
  DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  DEFAULT_BUCKET_SIZE,
  DEFAULT_NUM_REPLICAS,
  DEFAULT_REQUEST_TIMEOUT_MS,
  HIVEMIND_KAD_PROTOCOL
} from './constants.ts'
export { MalformedBytesError, ReachabilityError, RemoteError } from './errors.ts'
export { HivemindDHT } from './hivemind-dht.ts'
export { idOfKey } from './keys/dht-id.ts'
export { decodeValue } from './msgpack/msgpack-reader.ts'
export { encodeValue } from './msgpack/msgpack-writer.ts'
export {
  Float,
  float,
  type HivemindKey,
  type HivemindValue,
  Tuple,
  tuple,
  tupleOf
} from './msgpack/python-types.ts'
export { DEFAULTS, type HivemindDefaults } from './node/defaults.ts'
export { hivemindKadDHT } from './node/hivemind-kad-dht.ts'
export type { HivemindDHTOptions } from './node/options.ts'
export type {
  HivemindFindNearestPeersOptions,
  HivemindGetOptions,
  HivemindStoreEntry,
  HivemindStoreManyOptions,
  HivemindStoreOptions
} from './operations/call-options.ts'
export type { HivemindEntryFound, HivemindFound } from './reading/view.ts'
export type { HivemindLimits } from './replica/limits.ts'
export type {
  Hivemind,
  HivemindEvents,
  HivemindInit,
  HivemindNodeLimits,
  HivemindNotice,
  HivemindStats
} from './service/interface.ts'
export { hivemind } from './service/service.ts'
export type { HivemindSubmission, HivemindValidator } from './validators/interface.ts'
export { type RsaSignatures, type RsaSignaturesOptions, rsaSignatures } from './validators/rsa.ts'
export {
  type HivemindSchemaOptions,
  type HivemindSchemaRule,
  schemaValidator
} from './validators/schema.ts'
export type { CommonDHT, CommonFound, CommonKey } from './waggle-parts.ts'
