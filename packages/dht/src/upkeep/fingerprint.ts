import { type DHTRecord, isEmpty } from '@waggle/record'
import { DIGEST_BYTES, digestOf } from '../store/record-digest.ts'

export const FINGERPRINT_BYTES: number = DIGEST_BYTES

/** Tells whether two replicas hold the same: the digest of a record. All zero for nothing. Shared: do not change it. */
export function fingerprintOf(record: DHTRecord): Uint8Array {
  return isEmpty(record) ? NOTHING : digestOf(record)
}

const NOTHING = new Uint8Array(FINGERPRINT_BYTES)
