import { fromString } from 'uint8arrays/from-string'
import { opensshKey, parseOpensshKey, type RsaNumbers } from './openssh.ts'
import { jwkOfPkcs1 } from './pkcs1.ts'

/** Bits of an accepted key: enough to be secure, and few enough to verify quickly. */
const MIN_BITS = 1024
const MAX_BITS = 8192

/** Bits of an accepted public exponent, which is 65537 nearly always. The time of a verification grows with it. */
const MAX_EXPONENT_BITS = 32

/** Bytes that PSS adds to hash and salt. */
const PSS_BYTES = 2
const HASH_BYTES = 32

const PSS = { name: 'RSA-PSS', hash: 'SHA-256' } as const

/** Verifies signatures of one public key. */
export interface RsaPublicKey {
  verify(message: Uint8Array, signature: Uint8Array): Promise<boolean>
}

/** Signs, and gives its public key. */
export interface RsaPrivateKey {
  /** The public key in OpenSSH form. */
  readonly publicKey: string
  sign(message: Uint8Array): Promise<Uint8Array>
}

/**
 * Reads a public key in OpenSSH form.
 *
 * @throws MalformedBytesError, or an error of WebCrypto for numbers that are no key
 */
export async function rsaPublicKey(text: string): Promise<RsaPublicKey> {
  const numbers = parseOpensshKey(text)
  const saltLength = maximalSalt(numbers)
  assertExponent(numbers)
  const jwk = { kty: 'RSA', ...numbers }
  const key = await crypto.subtle.importKey('jwk', jwk, PSS, false, ['verify'])
  return {
    verify: (message, signature) =>
      crypto.subtle.verify({ ...PSS, saltLength }, key, owned(signature), owned(message))
  }
}

/**
 * Makes a signing key from PKCS#1, libp2p's format for RSA keys.
 *
 * @throws MalformedBytesError for any other bytes
 */
export function rsaPrivateKey(pkcs1: Uint8Array): RsaPrivateKey {
  const jwk = jwkOfPkcs1(pkcs1)
  const saltLength = maximalSalt(jwk)
  const imported = crypto.subtle.importKey('jwk', jwk, PSS, false, ['sign'])
  // The caller of `sign` gets the error.
  imported.catch(() => {})
  return {
    publicKey: opensshKey(jwk),
    sign: async (message) => {
      const key = await imported
      return new Uint8Array(await crypto.subtle.sign({ ...PSS, saltLength }, key, owned(message)))
    }
  }
}

/** The longest salt that a key has room for. Python signs with it and accepts no other. */
function maximalSalt({ n }: RsaNumbers): number {
  const bits = bitsOf(fromString(n, 'base64url'))

  if (bits < MIN_BITS || bits > MAX_BITS) {
    throw new RangeError(`an RSA key has ${bits} bits, from ${MIN_BITS} to ${MAX_BITS} are allowed`)
  }

  return Math.ceil((bits - 1) / 8) - HASH_BYTES - PSS_BYTES
}

function assertExponent({ e }: RsaNumbers): void {
  const bits = bitsOf(fromString(e, 'base64url'))

  if (bits > MAX_EXPONENT_BITS) {
    throw new RangeError(
      `an RSA key has an exponent of ${bits} bits, at most ${MAX_EXPONENT_BITS} are allowed`
    )
  }
}

function bitsOf(bytes: Uint8Array): number {
  return 8 * bytes.length - (Math.clz32(bytes[0] ?? 0) - 24)
}

/** Copies shared memory, because WebCrypto does not accept it and the types cannot exclude it. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}
