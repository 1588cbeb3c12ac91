import { SEARCH_WIDTH } from '../constants.ts'
import {
  assertBoolean,
  assertCount,
  assertInteger,
  assertMembers,
  assertNotNegative,
  assertThat,
  type OptionTable,
  withDefaults
} from '../option-checks.ts'

/** How a node caches what it has read, beside what it stores as a replica. */
export interface CacheOptions {
  /**
   * Records in the cache. Beyond it, the entry that expires first is dropped. Copies that other
   * peers leave here take up to a quarter of it besides. Hivemind's cache_size.
   *
   * @default DEFAULTS.cache.size
   */
  size?: number | undefined

  /**
   * Whether what was found is cached until it expires. Hivemind's cache_locally.
   *
   * @default true
   */
  locally?: boolean | undefined

  /**
   * Peers that get a copy of what was found, of the nearest that did not have it (path caching,
   * Kademlia §2.3). A copy is no replica, and is dropped first. Hivemind's cache_nearest.
   *
   * @default DEFAULTS.cache.nearest
   */
  nearest?: number | undefined

  /**
   * Whether what this node stores is cached, too. Hivemind's cache_on_store.
   *
   * @default true
   */
  onStore?: boolean | undefined

  /**
   * Seconds before its expiration at which a cached record that is in use is read again in the
   * background; 0: never. Hivemind's cache_refresh_before_expiry.
   *
   * @default DEFAULTS.cache.refreshBeforeExpiry
   */
  refreshBeforeExpiry?: number | undefined
}

/** The options with their defaults. */
export type CachePolicy = { readonly [K in keyof CacheOptions]-?: NonNullable<CacheOptions[K]> }

/** The options of the cache. Those that Hivemind has keep its defaults, but for the bound. */
export const CACHE_OPTIONS: OptionTable<CacheOptions> = {
  size: { assert: assertCount, default: 10_000 },
  locally: { assert: assertBoolean, default: true },
  nearest: { assert: assertInteger(0, SEARCH_WIDTH), default: 1 },
  onStore: { assert: assertBoolean, default: true },
  refreshBeforeExpiry: { assert: assertNotNegative, default: 5 }
}

/** Fills in the defaults. */
export function cachePolicy(options: CacheOptions): CachePolicy {
  return withDefaults(options, CACHE_OPTIONS) as CachePolicy
}

/** Says what is wrong with the option `cache`. */
export function assertCacheOptions(value: unknown, option: string): void {
  if (value === false) {
    return
  }

  assertThat(typeof value === 'object' && value !== null, option, 'false or an object', value)
  assertMembers(value, option, CACHE_OPTIONS)
}
