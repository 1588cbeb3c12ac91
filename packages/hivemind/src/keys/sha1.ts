import { sha1 as portableSha1 } from '@noble/hashes/legacy.js'

const nodeCrypto = globalThis.process?.getBuiltinModule?.('node:crypto')

/** SHA-1, by Node's OpenSSL if available. Hivemind uses it to spread keys, not to protect anything. */
export const sha1: (bytes: Uint8Array) => Uint8Array =
  nodeCrypto?.hash === undefined
    ? portableSha1
    : (bytes) => nodeCrypto.hash('sha1', bytes, 'buffer')
