import { hkdfSync } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { asCrypto, defaultCrypto, nodeCrypto } from '@libp2p/noise/crypto'
import { TokenBucket } from '../admission/token-bucket.ts'

/** Messages, at once and per second, up to which a process needs no WebAssembly. */
const CALM = { burst: 10_000, perSecond: 100 }

/** Bytes of each of the three keys that noise derives at once. */
const KEY_BYTES = 32

const NOTHING = new Uint8Array(0)

/**
 * Creates noise's crypto, which loads WebAssembly when a process is busy. Noise takes it for all small messages, since
 * calling OpenSSL takes longer than they do. But that counts from thousands of messages on, and WebAssembly costs 5 MB of
 * memory and some milliseconds of a program's start.
 */
export function noiseCrypto(calm: TokenBucket = new TokenBucket(CALM)): ICryptoInterface {
  // OpenSSL's substitute in Electron lacks the cipher.
  let isBusy = defaultCrypto.chaCha20Poly1305Encrypt === asCrypto.chaCha20Poly1305Encrypt
  const ciphers = (): typeof nodeCrypto => {
    isBusy ||= !calm.tryTake(1, 1)
    return isBusy ? defaultCrypto : nodeCrypto
  }

  return {
    ...defaultCrypto,
    chaCha20Poly1305Encrypt: (...args) => ciphers().chaCha20Poly1305Encrypt(...args),
    chaCha20Poly1305Decrypt: (...args) => ciphers().chaCha20Poly1305Decrypt(...args),
    getHKDF
  }
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
