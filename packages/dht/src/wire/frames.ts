import { ByteQueue } from './byte-queue.ts'
import type { ByteWriter } from './bytes.ts'
import { MAX_MESSAGE_BYTES, MAX_PLAUSIBLE_MESSAGE_BYTES } from './limits.ts'
import { MessageTooLargeError } from './message-too-large-error.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import type { MessageCodec } from './schema.ts'

/*
 * frame = length of the message as 32 bits, big end first; the message
 */

const HEAD_BYTES = 4

/** Cuts arriving bytes into messages. */
export class FrameReader {
  readonly #queue = new ByteQueue()
  readonly #maxMessageBytes: number

  constructor(maxMessageBytes: number = MAX_MESSAGE_BYTES) {
    this.#maxMessageBytes = maxMessageBytes
  }

  /** Bytes that have come and were not given out. */
  get length(): number {
    return this.#queue.length
  }

  /** Takes in bytes as they come. */
  push(chunk: { subarray(): Uint8Array }): void {
    this.#queue.push(plain(chunk.subarray()))
  }

  /**
   * The bytes of the next complete message, undefined if there is none yet.
   *
   * @throws MessageTooLargeError when a message is larger than it may be
   * @throws ProtocolViolationError when it is empty, or of a size that nobody means
   */
  next(): Uint8Array | undefined {
    const queue = this.#queue
    const length = queue.uint32()

    if (length === undefined) {
      return undefined
    }

    this.#assertLength(length)

    if (queue.length < HEAD_BYTES + length) {
      return undefined
    }

    queue.take(HEAD_BYTES)
    return queue.take(length)
  }

  #assertLength(length: number): void {
    if (length === 0 || length > MAX_PLAUSIBLE_MESSAGE_BYTES) {
      throw new ProtocolViolationError(`a message has ${length} bytes`)
    }

    if (length > this.#maxMessageBytes) {
      throw new MessageTooLargeError(length, this.#maxMessageBytes)
    }
  }
}

/** Turns Node's Buffers, whose `slice` makes no copy, into plain Uint8Arrays. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}

/**
 * Appends a message as a frame. All messages are sent by it, so that none is larger than its protocol
 * allows.
 *
 * @throws MessageTooLargeError for a larger one, of which nothing is written
 */
export function writeFrame<M>(
  to: ByteWriter,
  message: M,
  codec: MessageCodec<M>,
  maxMessageBytes: number = MAX_MESSAGE_BYTES
): void {
  const head = to.reserveUint32()
  codec.write(to, message)
  const length = to.length - head - HEAD_BYTES

  if (length > maxMessageBytes) {
    to.truncate(head)
    throw new MessageTooLargeError(length, maxMessageBytes)
  }

  to.setUint32(head, length)
}
