import { type DHTRecord, encodeRecord, isEmpty } from '@waggle/record'
import { sha256 } from '../peers/key-space.ts'

/** Enough that no two records have the same by chance, or by anybody's effort. */
export const DIGEST_BYTES = 16

/** Of records and encodings, neither of which anybody changes. */
const digests = new WeakMap<object, Uint8Array>()

/** Tells records apart by their encoding, of which there is one for each (R10). */
export function digestOfBytes(encoded: Uint8Array): Uint8Array {
  return known(encoded, () => Uint8Array.from(sha256(encoded).subarray(0, DIGEST_BYTES)))
}

/** The digest of a record; without a byte for one that says nothing. */
export function digestOf(record: DHTRecord): Uint8Array {
  return isEmpty(record) ? NOTHING : known(record, () => digestOfBytes(encodeRecord(record)))
}

function known(of: object, compute: () => Uint8Array): Uint8Array {
  const digest = digests.get(of) ?? compute()
  digests.set(of, digest)
  return digest
}

const NOTHING = new Uint8Array(0)
