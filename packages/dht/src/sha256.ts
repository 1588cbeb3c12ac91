import { sha256 as portableSha256 } from '@noble/hashes/sha2.js'
import { textOf } from './latin1.ts'

/** Node's OpenSSL is several times as fast as JavaScript. Browsers have nothing that answers at once. */
const nodeCrypto = globalThis.process?.getBuiltinModule?.('node:crypto')

/** Computes the SHA-256 of the bytes. */
export const sha256: (bytes: Uint8Array) => Uint8Array =
  nodeCrypto?.hash === undefined
    ? portableSha256
    : (bytes) => nodeCrypto.hash('sha256', bytes, 'buffer')

/** Computes the SHA-256 as text, one character a byte, so that a Map can find it. */
export const sha256Text: (bytes: Uint8Array) => string =
  nodeCrypto?.hash === undefined
    ? (bytes) => textOf(portableSha256(bytes))
    : (bytes) => nodeCrypto.hash('sha256', bytes, 'binary')
