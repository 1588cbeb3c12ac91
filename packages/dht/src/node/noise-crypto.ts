import { createSecretKey, getCipherInfo, hkdfSync, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { asCrypto, defaultCrypto, nodeCrypto } from '@libp2p/noise/crypto'
import { TokenBucket } from '../admission/token-bucket.ts'
import { noiseKeys } from './noise-keys.ts'

/** Messages, at once and per second, up to which a process needs no WebAssembly. */
const CALM = { burst: 10_000, perSecond: 100 }

/** Bytes from which OpenSSL is faster than WebAssembly, as noise has it. */
const LARGE_BYTES = 1200

/** Bytes of each of the three keys that noise derives at once. */
const KEY_BYTES = 32

const NOTHING = new Uint8Array(0)

/** OpenSSL's form of each key. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>()

/**
 * Creates noise's crypto, which loads WebAssembly when a process is busy. Noise takes it for all small messages, since
 * calling OpenSSL takes longer than they do. But that counts from thousands of messages on, and WebAssembly costs 5 MB of
 * memory and some milliseconds of a program's start.
 */
export function noiseCrypto(
  calm: TokenBucket = new TokenBucket(CALM),
  hasCipher: boolean = getCipherInfo('chacha20-poly1305') !== undefined
): ICryptoInterface {
  // OpenSSL's substitute in Bun and in Electron lacks the cipher.
  if (!hasCipher) {
    const { chaCha20Poly1305Encrypt, chaCha20Poly1305Decrypt } = asCrypto
    const cipher = { chaCha20Poly1305Encrypt, chaCha20Poly1305Decrypt }
    return { ...defaultCrypto, ...cipher, ...noiseKeys, getHKDF }
  }

  let isBusy = false
  const isByWebAssembly = ({ byteLength }: { readonly byteLength: number }): boolean => {
    isBusy ||= !calm.tryTake(1, 1)
    return isBusy && byteLength < LARGE_BYTES
  }

  return {
    ...defaultCrypto,
    ...noiseKeys,
    chaCha20Poly1305Encrypt: (plaintext, nonce, ad, key) =>
      isByWebAssembly(plaintext)
        ? asCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key)
        : nodeCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, parsed(key)),
    chaCha20Poly1305Decrypt: (ciphertext, nonce, ad, ...[key, to]) =>
      isByWebAssembly(ciphertext)
        ? asCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, to)
        : nodeCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, parsed(key), to),
    getHKDF
  }
}

/**
 * Parses a key once: Node takes ten times as long to parse it as to encrypt a message. Noise passes its keys on to
 * Node, which takes them in either form, and changes none.
 */
function parsed(key: Uint8Array): Uint8Array {
  const known = keyObjects.get(key) ?? createSecretKey(key)
  keyObjects.set(key, known)
  return known as unknown as Uint8Array
}

/** Derives three keys (Noise protocol framework, §4.3), by OpenSSL instead of JavaScript. */
function getHKDF(
  chainingKey: Uint8Array,
  keyMaterial: Uint8Array
): ReturnType<ICryptoInterface['getHKDF']> {
  const bytes = hkdfSync('sha256', keyMaterial, chainingKey, NOTHING, 3 * KEY_BYTES)
  const keyAt = (index: number): Uint8Array => new Uint8Array(bytes, index * KEY_BYTES, KEY_BYTES)
  return [keyAt(0), keyAt(1), keyAt(2)]
}
