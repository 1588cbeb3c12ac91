import { ByteQueue } from './byte-queue.ts'
import type { ByteWriter } from './bytes.ts'
import { MAX_MESSAGE_BYTES, MAX_PART_BYTES, MAX_PLAUSIBLE_MESSAGE_BYTES } from './limits.ts'
import { MessageTooLargeError } from './message-too-large-error.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import type { MessageCodec } from './schema.ts'

/*
 * frame = kind (2 bits) and number (30 bits), big end first; the message or part
 *
 * message  0  whole message; the number is its length
 * part     1  part of a bulk message, not the last; the number is its length
 * end      2  last part of a bulk message; the number is its length
 * ack      3  acknowledgement without a body; the number is the bytes of parts received
 *
 * Other messages may come between the parts of a bulk message.
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

  /** Called with the acknowledged bytes of parts. */
  readonly onAck?: (bytes: number) => void
}

/** Splits arriving bytes into messages, and assembles bulk messages. */
export class FrameReader {
  readonly #queue = new ByteQueue()
  readonly #maxMessageBytes: number
  readonly #onAck: (bytes: number) => void

  /** Head of the first frame, once it is complete. */
  #head = 0

  /** The incomplete bulk message. */
  #parts = new ByteQueue()

  /** Deferred messages, and complete bulk ones. */
  readonly #deferred: Uint8Array[] = []
  readonly #bulk: Uint8Array[] = []
  #deferredBytes = 0
  #unackedBytes = 0

  constructor({ maxMessageBytes = MAX_MESSAGE_BYTES, onAck = refuseAck }: FrameReaderInit = {}) {
    this.#maxMessageBytes = maxMessageBytes
    this.#onAck = onAck
  }

  /** Bytes received and not yet returned. */
  get length(): number {
    return this.#queue.length + this.#parts.length + this.#deferredBytes
  }

  /** Adds received bytes. */
  push(chunk: { subarray(): Uint8Array }): void {
    this.#queue.push(plain(chunk.subarray()))
  }

  /**
   * The bytes of the next complete message; undefined if there is none yet. Deferred messages are kept; acks are
   * always processed.
   *
   * @throws MessageTooLargeError when a message exceeds its maximum size
   * @throws ProtocolViolationError when a frame is empty, or of an implausible size
   */
  next(deferred: 'none' | 'bulk' | 'all' = 'none'): Uint8Array | undefined {
    for (;;) {
      const ready = this.#takeDeferred(deferred)

      if (ready !== undefined || !this.#hasFrame()) {
        return ready
      }

      const message = this.#takeFrame()

      if (message !== undefined && deferred !== 'all') {
        return message
      }

      if (message !== undefined) {
        this.#defer(message, this.#deferred)
      }
    }
  }

  /** Returns the bytes of parts received since the last call. */
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

  /** Removes the first, complete frame. Returns the message if it is one. */
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
      this.#defer(this.#parts.take(this.#parts.length), this.#bulk)
      this.#parts = new ByteQueue()
    }
  }

  #defer(message: Uint8Array, to: Uint8Array[]): void {
    to.push(message)
    this.#deferredBytes += message.length
  }

  #takeDeferred(deferred: 'none' | 'bulk' | 'all'): Uint8Array | undefined {
    if (this.#deferredBytes === 0 || deferred === 'all') {
      return undefined
    }

    const message = this.#deferred.shift() ?? (deferred === 'none' ? this.#bulk.shift() : undefined)
    this.#deferredBytes -= message?.length ?? 0
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

/** Converts Node's Buffers, whose `slice` makes no copy, to plain Uint8Arrays. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}

/**
 * Appends a message as a frame. All messages pass here, so the protocol's maximum size applies to all.
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

/** Appends an ack of received bytes of parts. */
export function writeAck(to: ByteWriter, bytes: number): void {
  writeHead(to, ACK, bytes)
}

function writeHead(to: ByteWriter, kind: number, number: number): void {
  to.setUint32(to.reserveUint32(), ((kind << KIND_AT) | number) >>> 0)
}
