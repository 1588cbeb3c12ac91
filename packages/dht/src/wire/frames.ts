import type { ByteWriter } from './bytes.ts'
import { MAX_MESSAGE_BYTES, MAX_PLAUSIBLE_MESSAGE_BYTES } from './limits.ts'
import { MessageTooLargeError } from './message-too-large-error.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import type { MessageCodec } from './schema.ts'

/*
 * frame = length of the message as 32 bits, big end first; the message
 */

const HEAD_BYTES = 4

const NOTHING = new Uint8Array(0)

/** Cuts arriving bytes into messages. Holds one unfinished message and what came with it, at most. */
export class FrameReader {
  /** Bytes not given out yet, from start to end. Behind the end there may be room. */
  #buffer: Uint8Array = NOTHING
  #start = 0
  #end = 0
  readonly #maxMessageBytes: number

  constructor(maxMessageBytes: number = MAX_MESSAGE_BYTES) {
    this.#maxMessageBytes = maxMessageBytes
  }

  /** Bytes that have come and were not given out. */
  get length(): number {
    return this.#end - this.#start
  }

  /** Takes in bytes as they come. */
  push(chunk: { subarray(): Uint8Array }): void {
    const bytes = plain(chunk.subarray())

    if (this.#start === this.#end) {
      this.#buffer = bytes
      this.#start = 0
      this.#end = bytes.length
      return
    }

    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /**
   * The bytes of the next complete message, undefined if there is none yet.
   *
   * @throws MessageTooLargeError when a message is larger than it may be
   * @throws ProtocolViolationError when it is empty, or of a size that nobody means
   */
  next(): Uint8Array | undefined {
    const available = this.#end - this.#start

    if (available < HEAD_BYTES) {
      return undefined
    }

    const head = new DataView(this.#buffer.buffer, this.#buffer.byteOffset + this.#start)
    const length = head.getUint32(0)

    this.#assertLength(length)

    if (available < HEAD_BYTES + length) {
      return undefined
    }

    const begin = this.#start + HEAD_BYTES
    const message = this.#buffer.subarray(begin, begin + length)
    this.#start = begin + length

    if (this.#start === this.#end) {
      this.#buffer = NOTHING
    }

    return message
  }

  #assertLength(length: number): void {
    if (length === 0 || length > MAX_PLAUSIBLE_MESSAGE_BYTES) {
      throw new ProtocolViolationError(`a message has ${length} bytes`)
    }

    if (length > this.#maxMessageBytes) {
      throw new MessageTooLargeError(length, this.#maxMessageBytes)
    }
  }

  /**
   * Doubles the buffer, so that a message that comes byte by byte is not copied as often. Messages
   * that were given out are views of the buffer: it is replaced, never written over.
   */
  #reserve(more: number): void {
    if (this.#end + more <= this.#buffer.length) {
      return
    }

    const needed = this.#end - this.#start + more
    const grown = new Uint8Array(
      Math.max(needed, Math.min(2 * needed, HEAD_BYTES + this.#maxMessageBytes))
    )
    grown.set(this.#buffer.subarray(this.#start, this.#end))
    this.#buffer = grown
    this.#end -= this.#start
    this.#start = 0
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
