/** What one record may be. */
export interface HivemindLimits {
  /** Encoded subkey, bytes. An RSA owner's tag takes 400. */
  readonly maxSubkeyBytes: number

  /** Encoded value with its signature, bytes. */
  readonly maxValueBytes: number

  /** Everything under one key, bytes. */
  readonly maxRecordBytes: number

  /** Entries of one dictionary. */
  readonly maxSubkeys: number

  /** Seconds between now and the latest expiration that is accepted. */
  readonly maxTtl: number
}

/** The limits when the caller does not say. An answer holds at least one record of the largest size. */
export const DEFAULT_HIVEMIND_LIMITS: HivemindLimits = {
  maxSubkeyBytes: 4096,
  maxValueBytes: 1024 * 1024,
  maxRecordBytes: 3 * 1024 * 1024,
  maxSubkeys: 4096,
  maxTtl: 30 * 24 * 60 * 60
}

/** Bytes that an entry takes in a message beside its subkey and its value. */
const ENTRY_BYTES = 20

/** Bytes that an entry takes, about. */
export function entryBytes(subkey: string | undefined, value: Uint8Array): number {
  return (subkey?.length ?? 0) + value.length + ENTRY_BYTES
}
