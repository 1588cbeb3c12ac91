import { randomBytes } from 'node:crypto'
import { pureJsCrypto } from '@libp2p/noise'
import { nodeCrypto } from '@libp2p/noise/crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { noiseCrypto } from '../../src/node/noise-crypto.ts'

vi.mock('node:crypto', async (original) => ({
  ...(await original<typeof import('node:crypto')>()),
  getCipherInfo: () => undefined
}))

describe('noiseCrypto', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('encrypts messages of all sizes where Node’s crypto lacks the cipher, as in Bun and Electron', () => {
    const unknown = (): never => {
      throw new Error('Unknown cipher')
    }
    vi.spyOn(nodeCrypto, 'chaCha20Poly1305Encrypt').mockImplementation(unknown)
    vi.spyOn(nodeCrypto, 'chaCha20Poly1305Decrypt').mockImplementation(unknown)
    const own = noiseCrypto()
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
})
