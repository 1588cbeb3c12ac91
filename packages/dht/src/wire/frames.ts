import { ByteQueue } from './byte-queue.ts'
import type { ByteWriter } from './bytes.ts'
import { MAX_MESSAGE_BYTES, MAX_PART_BYTES, MAX_PLAUSIBLE_MESSAGE_BYTES } from './limits.ts'
import { MessageTooLargeError } from './message-too-large-error.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import type { MessageCodec } from './schema.ts'

/*
 * frame = kind (2 bits) and number (30 bits), big end first; the message or part
 *
 * message  0  of so many bytes
 * part     1  of a bulk message, of so many bytes; more follow
 * end      2  the last part of a bulk message, of so many bytes
 * ack      3  so many bytes of parts were received; without a body
 *
 * Other messages may come between the parts of one.
 */

const HEAD_BYTES = 4
const KIND_AT = 30
const MESSAGE = 0
const PART = 1
const END = 2
const ACK = 3
const NUMBER: number = 2 ** KIND_AT - 1

export interface FrameReaderInit {
  /** @default MAX_MESSAGE_BYTES */
  readonly maxMessageBytes?: number | undefined

  /** Takes in that so many bytes of parts have reached the other side. */
  readonly onAck?: (bytes: number) => void
}

/** Cuts arriving bytes into messages, and puts bulk messages together. */
export class FrameReader {
  readonly #queue = new ByteQueue()
  readonly #maxMessageBytes: number
  readonly #onAck: (bytes: number) => void

  /** Of the first frame, once that is complete. */
  #head = 0

  /** The bulk message that is coming. */
  #parts = new ByteQueue()

  /** Complete messages that were left for later, and bulk ones. */
  readonly #left: Uint8Array[] = []
  readonly #bulk: Uint8Array[] = []
  #leftBytes = 0
  #unackedBytes = 0

  constructor({ maxMessageBytes = MAX_MESSAGE_BYTES, onAck = refuseAck }: FrameReaderInit = {}) {
    this.#maxMessageBytes = maxMessageBytes
    this.#onAck = onAck
  }

  /** Bytes that have come and were not given out. */
  get length(): number {
    return this.#queue.length + this.#parts.length + this.#leftBytes
  }

  /** Takes in bytes as they come. */
  push(chunk: { subarray(): Uint8Array }): void {
    this.#queue.push(plain(chunk.subarray()))
  }

  /**
   * The bytes of the next complete message, undefined if there is none yet. Messages may be left for
   * later; acks are taken in all the same.
   *
   * @throws MessageTooLargeError when a message is larger than it may be
   * @throws ProtocolViolationError when a frame is empty, or of a size that nobody means
   */
  next(left: 'none' | 'bulk' | 'all' = 'none'): Uint8Array | undefined {
    for (;;) {
      const ready = this.#takeLeft(left)

      if (ready !== undefined || !this.#hasFrame()) {
        return ready
      }

      const message = this.#takeFrame()

      if (message !== undefined && left !== 'all') {
        return message
      }

      if (message !== undefined) {
        this.#leave(message, this.#left)
      }
    }
  }

  /** Returns how many bytes of parts have come since the last call. */
  takeUnacked(): number {
    const bytes = this.#unackedBytes
    this.#unackedBytes = 0
    return bytes
  }

  /** Whether a frame is complete. */
  #hasFrame(): boolean {
    const head = this.#queue.uint32()

    if (head === undefined) {
      return false
    }

    const kind = head >>> KIND_AT
    const number = head & NUMBER
    this.#assertFrame(kind, number)
    this.#head = head
    return kind === ACK || this.#queue.length >= HEAD_BYTES + number
  }

  /** Takes the first frame, which is complete. Returns the message if it is one. */
  #takeFrame(): Uint8Array | undefined {
    const kind = this.#head >>> KIND_AT
    const number = this.#head & NUMBER
    this.#queue.take(HEAD_BYTES)

    if (kind === MESSAGE) {
      return this.#queue.take(number)
    }

    if (kind === ACK) {
      this.#onAck(number)
    } else {
      this.#takePart(this.#queue.take(number), kind === END)
    }

    return undefined
  }

  #takePart(part: Uint8Array, isLast: boolean): void {
    this.#unackedBytes += part.length
    this.#parts.push(part)

    if (isLast) {
      this.#leave(this.#parts.take(this.#parts.length), this.#bulk)
      this.#parts = new ByteQueue()
    }
  }

  #leave(message: Uint8Array, to: Uint8Array[]): void {
    to.push(message)
    this.#leftBytes += message.length
  }

  #takeLeft(left: 'none' | 'bulk' | 'all'): Uint8Array | undefined {
    if (this.#leftBytes === 0 || left === 'all') {
      return undefined
    }

    const message = this.#left.shift() ?? (left === 'none' ? this.#bulk.shift() : undefined)
    this.#leftBytes -= message?.length ?? 0
    return message
  }

  #assertFrame(kind: number, number: number): void {
    if (kind !== MESSAGE && (number === 0 || (kind !== ACK && number > MAX_PART_BYTES))) {
      throw new ProtocolViolationError(`a frame of kind ${kind} has the number ${number}`)
    }

    if (kind !== ACK) {
      this.#assertLength(number + (kind === MESSAGE ? 0 : this.#parts.length))
    }
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

function refuseAck(): void {
  throw new ProtocolViolationError('an ack came though nothing was sent in parts')
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

/** Returns the message in a frame. */
export function messageIn(frame: Uint8Array): Uint8Array {
  return frame.subarray(HEAD_BYTES)
}

/** Appends a part of a message. */
export function writePart(to: ByteWriter, part: Uint8Array, isLast: boolean): void {
  writeHead(to, isLast ? END : PART, part.length)
  to.bytes(part)
}

/** Appends that so many bytes of parts were received. */
export function writeAck(to: ByteWriter, bytes: number): void {
  writeHead(to, ACK, bytes)
}

function writeHead(to: ByteWriter, kind: number, number: number): void {
  to.setUint32(to.reserveUint32(), ((kind << KIND_AT) | number) >>> 0)
}
