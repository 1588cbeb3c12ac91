import { sha256 } from '@noble/hashes/sha2.js'
import { toString as stringOf } from 'uint8arrays/to-string'

const node = globalThis.process?.getBuiltinModule?.('node:crypto')

/** SHA-256 of the bytes, one character a byte. By Node's OpenSSL, which is faster, where it is there. */
export const digestOf: (bytes: Uint8Array) => string =
  node?.hash === undefined
    ? (bytes) => stringOf(sha256(bytes), 'latin1')
    : (bytes) => node.hash('sha256', bytes, 'binary')
