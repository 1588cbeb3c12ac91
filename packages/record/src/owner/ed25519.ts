import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { toString as stringOf } from 'uint8arrays/to-string'

/** Checks an Ed25519 signature, as {@link verifySignature} does. */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array
) => boolean

/** Bytes of a signature (RFC 8032 §5.1.6). */
export const SIGNATURE_BYTES = 64

const { Point } = ed25519
const SIGN_BIT = 0x80

/** Points of small order, by their y. Such a public key has signatures that anyone can make. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'
])

/** Whether the bytes are a public key in its only encoding, and not one that several peers could sign for. */
export function isSoundPublicKey(bytes: Uint8Array): boolean {
  const y = bytes.slice()
  y[31] = (y[31] ?? 0) & ~SIGN_BIT
  return bytesToNumberLE(y) < Point.Fp.ORDER && !SMALL_ORDER.has(stringOf(y, 'hex'))
}

/**
 * Verifies an Ed25519 signature as OpenSSL (and so Node) does: without the cofactor. RFC 8032 §5.1.7
 * allows both. All peers must agree on every signature, odd ones included, or one would hold what
 * another refuses. noble's own `verify` multiplies by the cofactor.
 */
export function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array
): boolean {
  const r = signature.subarray(0, 32)
  const s = bytesToNumberLE(signature.subarray(32))

  if (signature.length !== SIGNATURE_BYTES || s >= Point.Fn.ORDER) {
    return false
  }

  try {
    const hash = Point.Fn.create(bytesToNumberLE(sha512(concat([r, publicKey, message]))))
    const key = Point.fromBytes(publicKey)
    const expected = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(hash))
    return equals(expected.toBytes(), r)
  } catch {
    // The public key is not a point of the curve.
    return false
  }
}
