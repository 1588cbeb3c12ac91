import { randomBytes } from 'node:crypto'
import { pureJsCrypto } from '@libp2p/noise'
import { nodeCrypto } from '@libp2p/noise/crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TokenBucket } from '../../src/admission/token-bucket.ts'
import { noiseCrypto } from '../../src/node/noise-crypto.ts'

/** Messages of a process before it counts as busy, in these tests. */
const CALM_MESSAGES = 3

function crypto(): ReturnType<typeof noiseCrypto> {
  return noiseCrypto(
    new TokenBucket({ burst: CALM_MESSAGES, perSecond: CALM_MESSAGES, nowMs: () => 0 })
  )
}

describe('noiseCrypto', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('encrypts and decrypts as noise does, before and after the process is busy', () => {
    const bytes = fc.uint8Array({ maxLength: 3000 })
    const ad = fc.constantFrom(new Uint8Array(0), new Uint8Array(randomBytes(32)))
    fc.assert(
      fc.property(bytes, ad, (text, ad) => {
        const own = crypto()
        const [key, nonce] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(12))]
        const sealed = pureJsCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key).subarray()

        for (let message = 0; message <= CALM_MESSAGES; message++) {
          const encrypted = own.chaCha20Poly1305Encrypt(text, nonce, ad, key).subarray()
          expect(new Uint8Array(encrypted)).toEqual(sealed)
          const decrypted = own.chaCha20Poly1305Decrypt(sealed, nonce, ad, key).subarray()
          expect(new Uint8Array(decrypted)).toEqual(text)
        }
      })
    )
  })

  it('encrypts messages of all sizes where Node’s crypto lacks the cipher, as in Bun and Electron', () => {
    const unknown = (): never => {
      throw new Error('Unknown cipher')
    }
    vi.spyOn(nodeCrypto, 'chaCha20Poly1305Encrypt').mockImplementation(unknown)
    vi.spyOn(nodeCrypto, 'chaCha20Poly1305Decrypt').mockImplementation(unknown)
    const own = noiseCrypto(undefined, false)
    const [key, nonce, ad] = [randomBytes(32), randomBytes(12), new Uint8Array(0)]

    for (const size of [0, 100, 5000]) {
      const text = new Uint8Array(randomBytes(size))
      const sealed = own.chaCha20Poly1305Encrypt(text, nonce, ad, key).subarray()
      expect(new Uint8Array(sealed)).toEqual(
        new Uint8Array(pureJsCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key).subarray())
      )
      const opened = own.chaCha20Poly1305Decrypt(sealed, nonce, ad, key).subarray()
      expect(new Uint8Array(opened)).toEqual(text)
    }
  })

  it('throws for a message that was changed, before and after the process is busy', () => {
    const own = crypto()
    const [key, nonce, ad] = [randomBytes(32), randomBytes(12), new Uint8Array(0)]
    const sealed = own.chaCha20Poly1305Encrypt(randomBytes(100), nonce, ad, key).subarray()
    sealed[50] = (sealed[50] ?? 0) ^ 1

    for (let message = 0; message <= CALM_MESSAGES; message++) {
      expect(() => own.chaCha20Poly1305Decrypt(sealed, nonce, ad, key)).toThrow()
    }
  })

  it('derives the keys that noise derives, also of no material', () => {
    const own = crypto()
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ maxLength: 64 }),
        (chainingKey, material) => {
          expect(own.getHKDF(chainingKey, material)).toEqual(
            pureJsCrypto.getHKDF(chainingKey, material)
          )
        }
      )
    )
  })

  it('shares the secrets that noise shares, in either role, however often a key is used', () => {
    const own = crypto()
    const copied = (bytes: Uint8Array): Uint8Array => bytes.slice()

    for (let i = 0; i < 20; i++) {
      const [ours, theirs] = [own.generateX25519KeyPair(), pureJsCrypto.generateX25519KeyPair()]
      const shared = pureJsCrypto.generateX25519SharedKey(theirs.privateKey, ours.publicKey)

      for (const publicKey of [theirs.publicKey, theirs.publicKey, copied(theirs.publicKey)]) {
        for (const privateKey of [ours.privateKey, copied(ours.privateKey)]) {
          const result = own.generateX25519SharedKey(privateKey, publicKey)
          expect(new Uint8Array(result.subarray())).toEqual(new Uint8Array(shared.subarray()))
        }
      }
    }
  })

  it('takes no public key whose secrets are known to all (RFC 7748, §6.1)', () => {
    const { privateKey } = crypto().generateX25519KeyPair()
    expect(() => crypto().generateX25519SharedKey(privateKey, new Uint8Array(32))).toThrow()
  })
})
