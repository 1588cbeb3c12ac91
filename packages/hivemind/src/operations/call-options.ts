import type { CallOptions } from '@waggle/dht'
import type { OptionalLifetime } from '@waggle/record'
import type { HivemindKey, HivemindValue } from '../msgpack/python-types.ts'
import type { CommonGetOptions, CommonStoreEntry, CommonStoreOptions } from '../waggle-parts.ts'

/** How `store` is told where and until when: `expirationTime` or `ttl`, and perhaps a `subkey`. */
export type HivemindStoreOptions = CommonStoreOptions<HivemindKey>

/** One of the writes of `storeMany`. */
export type HivemindStoreEntry = CommonStoreEntry<HivemindKey, HivemindValue>

/** The lifetime of the entries that bring none of their own. */
export type HivemindStoreManyOptions = CallOptions & OptionalLifetime

/** How `get` is told what answer is good enough, and how to show it. */
export interface HivemindGetOptions extends CommonGetOptions {
  /**
   * Reads each Python float as a `Float`, so that what was read can be stored again unchanged.
   *
   * @default false
   */
  exactFloats?: boolean | undefined
}

/** How `findNearestPeers` is told how many. */
export interface HivemindFindNearestPeersOptions extends CallOptions {
  /** @default numReplicas */
  count?: number | undefined
}
