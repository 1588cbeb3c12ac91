import { type DHTRecord, isEmpty } from '@waggle/record'
import { DIGEST_BYTES, digestOf } from '../store/record-digest.ts'

/** Bytes of a fingerprint. */
export const FINGERPRINT_BYTES: number = DIGEST_BYTES

/**
 * Returns a record's digest, by which replicas compare their records; zeros for no record. Shared: do not change
 * it.
 */
export function fingerprintOf(record: DHTRecord): Uint8Array {
  return isEmpty(record) ? NOTHING : digestOf(record)
}

const NOTHING = new Uint8Array(FINGERPRINT_BYTES)
