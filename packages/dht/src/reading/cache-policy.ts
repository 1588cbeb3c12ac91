import { SEARCH_WIDTH } from '../constants.ts'
import {
  assertBoolean,
  assertInteger,
  assertMembers,
  assertNotNegative,
  assertThat,
  type Check
} from '../option-checks.ts'

/** How a node remembers what it has read, beside what it holds as a replica. */
export interface CacheOptions {
  /**
   * Records beyond this many push out the one that expires first. Hivemind's cache_size.
   *
   * @default DEFAULT_MAX_CACHED_RECORDS
   */
  maxRecords?: number | undefined

  /**
   * Whether what was found is remembered until it expires. Hivemind's cache_locally.
   *
   * @default true
   */
  local?: boolean | undefined

  /**
   * With how many of the nearest peers that did not hold what was found a copy is left. Copies
   * don't count as replicas, and go first. Hivemind's cache_nearest.
   *
   * @default DEFAULT_CACHE_NEAREST
   */
  nearest?: number | undefined

  /**
   * Whether what this node stores is remembered, too. Hivemind's cache_on_store.
   *
   * @default true
   */
  onStore?: boolean | undefined

  /**
   * Seconds before its expiration at which a cached record that is in use is fetched again, in the
   * background; 0: never. Hivemind's cache_refresh_before_expiry.
   *
   * @default DEFAULT_REFRESH_BEFORE_EXPIRY
   */
  refreshBeforeExpiry?: number | undefined
}

/** The options with their defaults. */
export type CachePolicy = { readonly [K in keyof CacheOptions]-?: NonNullable<CacheOptions[K]> }

/** How many records a node remembers that it holds for nobody. */
export const DEFAULT_MAX_CACHED_RECORDS = 10_000

/** Hivemind's default. */
export const DEFAULT_CACHE_NEAREST = 1

/** Seconds; Hivemind's default. */
export const DEFAULT_REFRESH_BEFORE_EXPIRY = 5

/** Fills in the defaults. */
export function cachePolicy(options: CacheOptions): CachePolicy {
  return {
    maxRecords: options.maxRecords ?? DEFAULT_MAX_CACHED_RECORDS,
    local: options.local ?? true,
    nearest: options.nearest ?? DEFAULT_CACHE_NEAREST,
    onStore: options.onStore ?? true,
    refreshBeforeExpiry: options.refreshBeforeExpiry ?? DEFAULT_REFRESH_BEFORE_EXPIRY
  }
}

const CACHE_CHECKS: Readonly<Record<keyof CacheOptions, Check>> = {
  maxRecords: assertInteger(1, Number.MAX_SAFE_INTEGER),
  local: assertBoolean,
  nearest: assertInteger(0, SEARCH_WIDTH),
  onStore: assertBoolean,
  refreshBeforeExpiry: assertNotNegative
}

/** Says what is wrong with the option `cache`. */
export function assertCacheOptions(value: unknown, option: string): void {
  if (value === false) {
    return
  }

  assertThat(typeof value === 'object' && value !== null, option, 'false or an object', value)
  assertMembers(value, option, CACHE_CHECKS)
}
