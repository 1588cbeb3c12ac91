import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'

/** Minimum bytes of a secret, so that it can't be guessed. */
export const MIN_SECRET_BYTES = 32

/** Keys derived from a secret. None of them reveals another, or those of another network. */
export interface SealingKeys {
  /** Signs for the members, who own all keys. */
  readonly privateKey: PrivateKey

  /** Hides keys and subkeys (HMAC-SHA256). */
  readonly names: Uint8Array

  /** Encrypts values (XChaCha20-Poly1305). */
  readonly values: Uint8Array

  /** Makes nonces (HMAC-SHA256). */
  readonly nonces: Uint8Array
}

const KEY_BYTES = 32

/**
 * Derives the keys of a secret for one network (HKDF-SHA256).
 *
 * @throws TypeError for anything but enough bytes
 */
export function sealingKeys(secret: Uint8Array, network: string): SealingKeys {
  if (!(secret instanceof Uint8Array) || secret.length < MIN_SECRET_BYTES) {
    const given = secret instanceof Uint8Array ? `${secret.length} bytes` : `a ${typeof secret}`
    throw new TypeError(
      `sealed needs a secret of at least ${MIN_SECRET_BYTES} random bytes, such as crypto.getRandomValues(new Uint8Array(${MIN_SECRET_BYTES})), got ${given}`
    )
  }

  const derive = (use: string): Uint8Array =>
    hkdf(sha256, secret, undefined, fromString(`waggle-sealed:1:${use}:${network}`), KEY_BYTES)
  const seed = derive('owner')

  return {
    privateKey: privateKeyFromRaw(concat([seed, ed25519.getPublicKey(seed)])),
    names: derive('names'),
    values: derive('values'),
    nonces: derive('nonces')
  }
}
