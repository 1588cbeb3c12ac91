import { type DHTRecord, encodeRecord, isEmpty } from '@waggle/record'
import { sha256 } from '../sha256.ts'

/** Bytes of a digest: enough to rule out collisions, even deliberate ones. */
export const DIGEST_BYTES = 16

/** Digests of records and of encodings, neither of which changes. */
const digests = new WeakMap<object, Uint8Array>()

/** Returns the digest of an encoding, which is unique for each record (R10). */
export function digestOfBytes(encoded: Uint8Array): Uint8Array {
  return memoize(encoded, () => Uint8Array.from(sha256(encoded).subarray(0, DIGEST_BYTES)))
}

/** Returns the digest of a record; no bytes for an empty one. */
export function digestOf(record: DHTRecord): Uint8Array {
  return isEmpty(record) ? NOTHING : memoize(record, () => digestOfBytes(encodeRecord(record)))
}

function memoize(of: object, compute: () => Uint8Array): Uint8Array {
  const digest = digests.get(of) ?? compute()
  digests.set(of, digest)
  return digest
}

const NOTHING = new Uint8Array(0)
