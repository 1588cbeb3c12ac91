import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject
} from 'node:crypto'
import type { ICryptoInterface, KeyPair } from '@libp2p/noise'

/** The heads of X25519 keys in DER (RFC 8410, §4 and §7), which the 32 bytes of the key follow. */
const PUBLIC_HEAD = Buffer.from('302a300506032b656e032100', 'hex')
const PRIVATE_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex')

type Bytes = Parameters<ICryptoInterface['generateX25519SharedKey']>[0]

/** OpenSSL's form of each key. */
const publicKeys = new WeakMap<Bytes, KeyObject>()
const privateKeys = new WeakMap<Bytes, KeyObject>()

/**
 * Noise's key exchange, with each key parsed once. A handshake uses each key in up to three exchanges, and parsing
 * one takes longer than an exchange.
 */
export const noiseKeys: Pick<
  ICryptoInterface,
  'generateX25519KeyPair' | 'generateX25519SharedKey'
> = {
  generateX25519KeyPair(): KeyPair {
    const own = generateKeyPairSync('x25519')
    const { d = '', x = '' } = own.privateKey.export({ format: 'jwk' })
    const pair = {
      publicKey: new Uint8Array(Buffer.from(x, 'base64url')),
      privateKey: new Uint8Array(Buffer.from(d, 'base64url'))
    }
    privateKeys.set(pair.privateKey, own.privateKey)
    return pair
  },

  generateX25519SharedKey(privateKey, publicKey): Uint8Array {
    return diffieHellman({
      privateKey: parsed(privateKeys, privateKey, (bytes) =>
        createPrivateKey({ key: der(PRIVATE_HEAD, bytes), type: 'pkcs8', format: 'der' })
      ),
      publicKey: parsed(publicKeys, publicKey, (bytes) =>
        createPublicKey({ key: der(PUBLIC_HEAD, bytes), type: 'spki', format: 'der' })
      )
    })
  }
}

/** Noise passes the same object each time, and changes none. */
function parsed(
  known: WeakMap<Bytes, KeyObject>,
  key: Bytes,
  parse: (bytes: Uint8Array) => KeyObject
): KeyObject {
  const object = known.get(key) ?? parse(key.subarray())
  known.set(key, object)
  return object
}

function der(head: Uint8Array, key: Uint8Array): Buffer {
  return Buffer.concat([head, key])
}
