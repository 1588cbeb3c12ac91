import { KEYS } from '../wire/fields.ts'
import { MAX_KEY_BYTES, MAX_KEYS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import { bytes, list, type MessageCodec, messages } from '../wire/schema.ts'
import { FINGERPRINT_BYTES } from './fingerprint.ts'

/** The protocol's id in the default network; see {@link protocolIdIn}. */
export const COMPARE_PROTOCOL = '/waggle/compare/1.0.0'

/** Bytes of the largest message. */
export const MAX_COMPARE_MESSAGE_BYTES: number = TARGET_MESSAGE_BYTES + MAX_KEY_BYTES

/** Requests the fingerprints of the records under some keys. */
export interface CompareRequest {
  readonly name: 'compare'
  readonly keys: readonly Uint8Array[]
}

/** Replies to all keys of the oldest unanswered request. */
export interface ComparedReply {
  readonly name: 'compared'
  readonly fingerprints: readonly Uint8Array[]
}

export type CompareMessage = CompareRequest | ComparedReply

/** The messages of the compare protocol; docs/network.md describes them. */
export const COMPARE: MessageCodec<CompareMessage> = messages<CompareMessage>({
  compare: [0, { keys: KEYS }],
  compared: [
    1,
    { fingerprints: list(bytes(FINGERPRINT_BYTES, 'a fingerprint'), MAX_KEYS_PER_MESSAGE) }
  ]
})
