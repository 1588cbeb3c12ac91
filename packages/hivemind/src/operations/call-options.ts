import type { CallOptions } from '@waggle/dht'
import type { OptionalLifetime } from '@waggle/record'
import type { HivemindKey, HivemindValue } from '../msgpack/python-types.ts'
import type { CommonGetOptions, CommonStoreEntry, CommonStoreOptions } from '../waggle-parts.ts'

/** Options of `store`: `expirationTime` or `ttl`, and optionally a `subkey`. */
export type HivemindStoreOptions = CommonStoreOptions<HivemindKey>

/** One of the writes of `storeMany`. */
export type HivemindStoreEntry = CommonStoreEntry<HivemindKey, HivemindValue>

/** Options of `storeMany`: the lifetime of entries without one of their own. */
export type HivemindStoreManyOptions = CallOptions & OptionalLifetime

/** Options of `get`: the required freshness, and the form of the result. */
export interface HivemindGetOptions extends CommonGetOptions {
  /**
   * Reads each Python float as a `Float`, so that the value can be stored again unchanged.
   *
   * @default false
   */
  exactFloats?: boolean | undefined
}

/** Options of `findNearestPeers`. */
export interface HivemindFindNearestPeersOptions extends CallOptions {
  /** @default numReplicas */
  count?: number | undefined
}
