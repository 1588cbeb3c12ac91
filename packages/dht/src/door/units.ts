import { ByteWriter } from '../wire/bytes.ts'
import { MAX_PLAUSIBLE_MESSAGE_BYTES } from '../wire/limits.ts'
import { MessageTooLargeError } from '../wire/message-too-large-error.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'

/** Position of the first unit, after its head; undefined while some of it is missing. */
export interface Unit {
  readonly headBytes: number
  readonly bytes: number
}

/** Bytes by their positions; undefined beyond the end. */
export interface Bytes {
  readonly length: number
  at(position: number): number | undefined
}

/** Finds the first unit that a protocol reads at once. Throws for an invalid one. */
export type Cut = (bytes: Bytes) => Unit | undefined

/** Bytes of libp2p's length prefix: lengths up to 2²⁸. */
const MAX_HEAD_BYTES = 4

/** Splits length-prefixed messages, whose lengths are varints as in libp2p. */
export function messagesUpTo(maxBytes: number): Cut {
  return (queue) => {
    let bytes = 0

    for (let i = 0; i < MAX_HEAD_BYTES; i++) {
      const byte = queue.at(i)

      if (byte === undefined) {
        return undefined
      }

      bytes += (byte & 0x7f) * 2 ** (7 * i)

      if (byte < 0x80) {
        assertSize(bytes, maxBytes)
        return queue.length >= i + 1 + bytes ? { headBytes: i + 1, bytes } : undefined
      }
    }

    throw new ProtocolViolationError('a message is too long')
  }
}

/** Prefixes a message with its length. */
export function delimited(message: Uint8Array): Uint8Array {
  const writer = new ByteWriter()
  writer.byteString(message)
  return writer.take()
}

/** Splits bytes into pieces of bounded size. */
export function piecesUpTo(maxBytes: number): Cut {
  return ({ length }) =>
    length === 0 ? undefined : { headBytes: 0, bytes: Math.min(length, maxBytes) }
}

function assertSize(bytes: number, maxBytes: number): void {
  if (bytes > MAX_PLAUSIBLE_MESSAGE_BYTES) {
    throw new ProtocolViolationError(`a message has ${bytes} bytes`)
  }

  if (bytes > maxBytes) {
    throw new MessageTooLargeError(bytes, maxBytes)
  }
}
