import type { DHTTime } from './time.ts'

/** Upper bounds for sizes and lifetimes (R12). */
export interface Limits {
  /** Bytes of an encoded key, without the namespace. */
  readonly maxKeyBytes: number

  /** Bytes of an encoded subkey. */
  readonly maxSubkeyBytes: number

  /** Bytes of an encoded value. */
  readonly maxValueBytes: number

  /** Bytes of an encoded record: the plain entry and all subkeys. */
  readonly maxRecordBytes: number

  /** Entries in one dictionary, tombstones included. */
  readonly maxSubkeys: number

  /** Seconds between now and the latest expiration that is accepted. */
  readonly maxTtl: number
}

/** The time and the limits that a rule applies. */
export interface RuleOptions {
  /** @default getDHTTime() */
  readonly now?: DHTTime

  /** @default DEFAULTS.limits */
  readonly limits?: Limits
}

/** The limits that apply unless the caller gives others (R12). */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxKeyBytes: 1024,
  maxSubkeyBytes: 256,
  maxValueBytes: 256 * 1024,
  maxRecordBytes: 1024 * 1024,
  maxSubkeys: 4096,
  maxTtl: 30 * 24 * 60 * 60
})

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
