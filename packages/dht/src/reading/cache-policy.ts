import { SEARCH_WIDTH } from '../constants.ts'
import {
  assertAge,
  assertBoolean,
  assertCount,
  assertInteger,
  assertMembers,
  assertNotNegative,
  assertThat,
  type Check,
  type OptionTable,
  withDefaults
} from '../option-checks.ts'

/** The cache of records that a node has read, beside those that it stores as a replica. */
export interface HivemindCacheOptions {
  /**
   * Records in the cache. Beyond it, the entry that expires first is dropped. Copies that other
   * peers leave here take up to a quarter of it besides. Hivemind's cache_size.
   *
   * @default DEFAULTS.cache.size
   */
  size?: number | undefined

  /**
   * Whether read records are cached until they expire. Hivemind's cache_locally.
   *
   * @default true
   */
  locally?: boolean | undefined

  /**
   * Peers that get a copy of a read record, of the nearest that did not have it (path caching, Kademlia §2.3). A
   * copy is no replica, and is dropped first. Hivemind's cache_nearest.
   *
   * @default DEFAULTS.cache.nearest
   */
  nearest?: number | undefined

  /**
   * Whether this node's writes are cached, too. Hivemind's cache_on_store.
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

/** The cache of a node, and the age of answers that no replica gave just now. */
export interface CacheOptions extends HivemindCacheOptions {
  /**
   * Seconds since an answer left its replica, beyond which it answers no `get`; 0: each asks a replica;
   * `Infinity`: until it expires, as in Hivemind. Copies that others pass on bring their age along.
   *
   * @default DEFAULTS.cache.maxAge
   */
  maxAge?: number | undefined

  /**
   * Seconds after which a cached record that is in use is compared with a replica's in the background. Until
   * then it goes on answering. `Infinity`: never, as in Hivemind.
   *
   * @default DEFAULTS.cache.revalidateAfter
   */
  revalidateAfter?: number | undefined
}

/** The options of Hivemind with their defaults. */
export type HivemindCachePolicy = Filled<HivemindCacheOptions>

/** The options with their defaults. */
export type CachePolicy = Filled<CacheOptions>
type Filled<T> = { readonly [K in keyof T]-?: NonNullable<T[K]> }

/** The options that Hivemind has, with its defaults, but for the bound. */
const HIVEMIND_OPTIONS: OptionTable<HivemindCacheOptions> = {
  size: { assert: assertCount, default: 10_000 },
  locally: { assert: assertBoolean, default: true },
  nearest: { assert: assertInteger(0, SEARCH_WIDTH), default: 1 },
  onStore: { assert: assertBoolean, default: true },
  refreshBeforeExpiry: { assert: assertNotNegative, default: 5 }
}

/** The options of the cache. */
export const CACHE_OPTIONS: OptionTable<CacheOptions> = {
  ...HIVEMIND_OPTIONS,
  maxAge: { assert: assertAge, default: 60 },
  revalidateAfter: { assert: assertAge, default: 5 }
}

/** Fills in the defaults. */
export function cachePolicy(options: CacheOptions): CachePolicy {
  return withDefaults(options, CACHE_OPTIONS) as CachePolicy
}

/** Fills in the defaults of the options that Hivemind has. */
export function hivemindCachePolicy(options: HivemindCacheOptions): HivemindCachePolicy {
  return withDefaults(options, HIVEMIND_OPTIONS) as HivemindCachePolicy
}

/** Checks the option `cache`. */
export const assertCacheOptions: Check = assertFalseOr(CACHE_OPTIONS)

/** Checks the option `cache` of a node that has Hivemind's options only. */
export const assertHivemindCacheOptions: Check = assertFalseOr(HIVEMIND_OPTIONS)

function assertFalseOr(table: OptionTable): Check {
  return (value, option) => {
    if (value !== false) {
      assertThat(typeof value === 'object' && value !== null, option, 'false or an object', value)
      assertMembers(value, option, table)
    }
  }
}
