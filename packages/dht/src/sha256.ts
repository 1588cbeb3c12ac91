import { sha256 as portableSha256 } from '@noble/hashes/sha2.js'
import { textOf } from './latin1.ts'

/** Node's OpenSSL is faster than JavaScript, which also allocates buffers. Browsers have no synchronous SHA-256. */
const nodeCrypto = globalThis.process?.getBuiltinModule?.('node:crypto')

/** Computes the SHA-256 of the bytes. */
export const sha256: (bytes: Uint8Array) => Uint8Array =
  nodeCrypto?.hash === undefined
    ? portableSha256
    : (bytes) => nodeCrypto.hash('sha256', bytes, 'buffer')

/** Computes the SHA-256 as text, one character for each byte, for a Map's key. */
export const sha256Text: (bytes: Uint8Array) => string =
  nodeCrypto?.hash === undefined
    ? (bytes) => textOf(portableSha256(bytes))
    : (bytes) => nodeCrypto.hash('sha256', bytes, 'binary')
