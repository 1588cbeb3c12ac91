import { sha256 as portableSha256 } from '@noble/hashes/sha2.js'
import { textOf } from './latin1.ts'

/** Node's OpenSSL is faster than JavaScript, which also allocates buffers. Browsers have no synchronous SHA-256. */
const nodeCrypto = globalThis.process?.getBuiltinModule?.('node:crypto')

/** Computes the SHA-256 as text, one character for each byte, for a Map's key. */
export const sha256Text: (bytes: Uint8Array) => string =
  nodeCrypto?.hash === undefined
    ? (bytes) => textOf(portableSha256(bytes))
    : (bytes) => nodeCrypto.hash('sha256', bytes, 'binary')

/** Computes the SHA-256 of the bytes. A Buffer from Node would take twice as long as a text, and memory outside of the heap. */
export const sha256: (bytes: Uint8Array) => Uint8Array =
  nodeCrypto?.hash === undefined ? portableSha256 : (bytes) => ownBytesOf(sha256Text(bytes))

/** Converts Latin-1 to bytes of their own: a small Buffer would keep all others alive with which it shares memory. */
function ownBytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)

  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = text.charCodeAt(i)
  }

  return bytes
}
