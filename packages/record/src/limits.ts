import type { DHTTime } from './time.ts'

/** Upper bounds for sizes and lifetimes (R12). */
export interface Limits {
  /** @default DEFAULT_MAX_KEY_BYTES */
  readonly maxKeyBytes: number

  /** @default DEFAULT_MAX_SUBKEY_BYTES */
  readonly maxSubkeyBytes: number

  /** @default DEFAULT_MAX_VALUE_BYTES */
  readonly maxValueBytes: number

  /** @default DEFAULT_MAX_RECORD_BYTES */
  readonly maxRecordBytes: number

  /** @default DEFAULT_MAX_SUBKEYS */
  readonly maxSubkeys: number

  /**
   * Seconds.
   *
   * @default DEFAULT_MAX_TTL
   */
  readonly maxTtl: number
}

/** The time and the limits that a rule applies. */
export interface RuleOptions {
  /** @default getDHTTime() */
  readonly now?: DHTTime

  /** @default DEFAULT_LIMITS */
  readonly limits?: Limits
}

/** Bytes of an encoded key, without the namespace. */
export const DEFAULT_MAX_KEY_BYTES = 1024

/** Bytes of an encoded subkey. */
export const DEFAULT_MAX_SUBKEY_BYTES = 256

/** Bytes of an encoded value. */
export const DEFAULT_MAX_VALUE_BYTES: number = 256 * 1024

/** Bytes of an encoded record: the plain entry and all subkeys. */
export const DEFAULT_MAX_RECORD_BYTES: number = 1024 * 1024

/** Entries in one dictionary, tombstones included. */
export const DEFAULT_MAX_SUBKEYS = 4096

/** Seconds between now and the latest expiration that is accepted: 30 days. */
export const DEFAULT_MAX_TTL: number = 30 * 24 * 60 * 60

/** The limits that apply unless the caller gives others (R12). */
export const DEFAULT_LIMITS: Limits = {
  maxKeyBytes: DEFAULT_MAX_KEY_BYTES,
  maxSubkeyBytes: DEFAULT_MAX_SUBKEY_BYTES,
  maxValueBytes: DEFAULT_MAX_VALUE_BYTES,
  maxRecordBytes: DEFAULT_MAX_RECORD_BYTES,
  maxSubkeys: DEFAULT_MAX_SUBKEYS,
  maxTtl: DEFAULT_MAX_TTL
}

/** No limits, for data that has already been checked, perhaps against other limits. */
export const UNLIMITED: Limits = {
  maxKeyBytes: Number.POSITIVE_INFINITY,
  maxSubkeyBytes: Number.POSITIVE_INFINITY,
  maxValueBytes: Number.POSITIVE_INFINITY,
  maxRecordBytes: Number.POSITIVE_INFINITY,
  maxSubkeys: Number.POSITIVE_INFINITY,
  maxTtl: Number.POSITIVE_INFINITY
}

/**
 * Seconds by which the clocks of two peers may differ. A replica accepts an expiration this far
 * beyond `maxTtl`, so that a slower clock does not refuse a write at the limit. The figure is
 * Hivemind's MAX_DHT_TIME_DISCREPANCY_SECONDS.
 */
export const MAX_CLOCK_SKEW = 3
