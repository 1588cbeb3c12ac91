/** Limits of one record. */
export interface HivemindLimits {
  /** Bytes of an encoded subkey. The owner tag of an RSA key takes 400. */
  readonly maxSubkeyBytes: number

  /** Bytes of an encoded value with its signature. */
  readonly maxValueBytes: number

  /** Bytes of all entries under one key. */
  readonly maxRecordBytes: number

  /** Entries of one dictionary. */
  readonly maxSubkeys: number

  /** Seconds between now and the latest expiration that is accepted. */
  readonly maxTtl: number
}

/** The default limits. A response can hold at least one record of the largest size. */
export const DEFAULT_HIVEMIND_LIMITS: HivemindLimits = {
  maxSubkeyBytes: 4096,
  maxValueBytes: 1024 * 1024,
  maxRecordBytes: 3 * 1024 * 1024,
  maxSubkeys: 4096,
  maxTtl: 30 * 24 * 60 * 60
}

/** Bytes of an entry in a message, besides its subkey and its value. */
const ENTRY_BYTES = 20

/** Approximate bytes of an entry. */
export function entryBytes(subkey: string | undefined, value: Uint8Array): number {
  return (subkey?.length ?? 0) + value.length + ENTRY_BYTES
}
