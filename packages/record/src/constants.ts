import type { Limits } from './interface.ts'

/** Records live under `/waggle/<key bytes>` in kad-dht (N1). */
export const NAMESPACE = 'waggle'

/** Encoded key, without the namespace. */
export const DEFAULT_MAX_KEY_BYTES = 1024

/** Encoded subkey. */
export const DEFAULT_MAX_SUBKEY_BYTES = 256

/** Encoded value. */
export const DEFAULT_MAX_VALUE_BYTES: number = 256 * 1024

/** Encoded record: the plain entry and all subkeys. */
export const DEFAULT_MAX_RECORD_BYTES: number = 1024 * 1024

/** Entries in one dictionary, tombstones included. */
export const DEFAULT_MAX_SUBKEYS = 4096

/** Seconds between now and the latest expiration that is accepted: 30 days. */
export const DEFAULT_MAX_TTL: number = 30 * 24 * 60 * 60

/** The limits of R12 when the caller does not say. */
export const DEFAULT_LIMITS: Limits = {
  maxKeyBytes: DEFAULT_MAX_KEY_BYTES,
  maxSubkeyBytes: DEFAULT_MAX_SUBKEY_BYTES,
  maxValueBytes: DEFAULT_MAX_VALUE_BYTES,
  maxRecordBytes: DEFAULT_MAX_RECORD_BYTES,
  maxSubkeys: DEFAULT_MAX_SUBKEYS,
  maxTtl: DEFAULT_MAX_TTL
}

/** For what has been checked already, perhaps by other limits. */
export const UNLIMITED: Limits = {
  maxKeyBytes: Number.POSITIVE_INFINITY,
  maxSubkeyBytes: Number.POSITIVE_INFINITY,
  maxValueBytes: Number.POSITIVE_INFINITY,
  maxRecordBytes: Number.POSITIVE_INFINITY,
  maxSubkeys: Number.POSITIVE_INFINITY,
  maxTtl: Number.POSITIVE_INFINITY
}

/**
 * Seconds by which peers' clocks may differ: a replica accepts an expiration this much beyond
 * `maxTtl`, so that a write at the limit is not refused by a slower clock. The figure is
 * Hivemind's MAX_DHT_TIME_DISCREPANCY_SECONDS.
 */
export const MAX_CLOCK_SKEW = 3

/** Arrays and objects inside each other. Bounds the stack that reading a value takes. */
export const MAX_VALUE_DEPTH = 256
