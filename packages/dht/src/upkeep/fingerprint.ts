import { type DHTRecord, encodeRecord, isEmpty } from '@waggle/record'
import { sha256 } from '../lookup/key-space.ts'

/** Enough that no two records have the same by chance, or by anybody's effort. */
export const FINGERPRINT_BYTES = 16

/** Tells whether two replicas hold the same, since equal records have equal bytes (R10). All zero for nothing. */
export function fingerprintOf(record: DHTRecord): Uint8Array {
  return isEmpty(record)
    ? new Uint8Array(FINGERPRINT_BYTES)
    : sha256(encodeRecord(record)).subarray(0, FINGERPRINT_BYTES)
}
