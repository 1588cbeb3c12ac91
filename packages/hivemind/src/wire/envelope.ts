import { ByteWriter } from '../bytes/byte-writer.ts'
import { MalformedBytesError } from '../errors.ts'
import { ByteQueue } from '../waggle-parts.ts'
import { leadingVarint, ProtobufReader, ProtobufWriter } from './protobuf.ts'

/*
 * frame = uvarint length, PersistentConnectionRequest (p2pd's, proto2)
 *
 * Each call has its own stream, with one frame in each direction. Python cancels a call if the caller
 * closes its side before the reply, or sends any byte after the frame.
 */

/** Bytes of one message, in either direction. p2pd does not answer a larger one. */
export const MAX_FRAME_BYTES: number = 4 * 1024 * 1024

/** Bytes of a call's id. p2pd closes the stream on any other length. */
export const CALL_ID_BYTES = 16

/** Fields of an envelope, and of the call or reply in it: p2pd writes three. */
const MAX_ENVELOPE_FIELDS = 64

/** Bytes of a reply's envelope. */
const ENVELOPE_BYTES = 64

/** Bytes of a procedure's name. */
const MAX_PROCEDURE_BYTES = 256

/** Characters of the error that a reply reports. */
const MAX_ERROR_LENGTH = 1024

const CALL_ID = 1
const CALL = 3
const REPLY = 4

/** One call of one procedure. */
export interface Call {
  readonly callId: Uint8Array

  /** The callee's peer id. It is ignored: the connection identifies both peers. */
  readonly peer: Uint8Array

  /** Name of the procedure. Python runs this one, whatever the stream's protocol is. */
  readonly procedure: string
  readonly data: Uint8Array
}

/** The reply: data, or the text of an error. */
export type Reply = { readonly callId: Uint8Array } & (
  | { readonly data: Uint8Array; readonly error?: undefined }
  | { readonly error: string; readonly data?: undefined }
)

const utf8 = new TextEncoder()
const text = new TextDecoder()

/** Encodes a call with its length in front. */
export function callFrame({ callId, peer, procedure, data }: Call): Uint8Array {
  const call = new ProtobufWriter()
    .bytes(1, peer)
    .bytes(2, utf8.encode(procedure))
    .bytes(3, data)
    .finish()
  return frame(new ProtobufWriter().bytes(CALL_ID, callId).bytes(CALL, call).finish())
}

/** Encodes a reply with its length in front. */
export function replyFrame({ callId, data, error }: Reply): Uint8Array {
  const to = new ProtobufWriter()
  const reply =
    data === undefined
      ? to.bytes(2, utf8.encode(error.slice(0, MAX_ERROR_LENGTH)))
      : to.bytes(1, data)
  return frame(new ProtobufWriter().bytes(CALL_ID, callId).bytes(REPLY, reply.finish()).finish())
}

/** Checks the size of a reply's data. A longer one would never arrive, so the caller gets an error at once. */
export function assertReplyFits(bytes: number): void {
  if (bytes + ENVELOPE_BYTES > MAX_FRAME_BYTES) {
    throw new RangeError(`the answer has ${bytes} bytes: ask for fewer keys`)
  }
}

/** @throws MalformedBytesError for bytes that p2pd would not accept as a call */
export function decodeCall(bytes: Uint8Array): Call {
  const { callId, body } = bodyOf(bytes, CALL)
  const peer = body.bytes(1)
  const procedure = body.bytes(2)
  const data = body.bytes(3)

  if (peer === undefined || procedure === undefined || data === undefined) {
    throw new MalformedBytesError('a call lacks its peer, its procedure or its data')
  }

  if (procedure.length > MAX_PROCEDURE_BYTES) {
    throw new MalformedBytesError(`the name of a procedure has ${procedure.length} bytes`)
  }

  return { callId, peer, procedure: text.decode(procedure), data }
}

/** @throws MalformedBytesError for bytes that are not a reply */
export function decodeReply(bytes: Uint8Array): Reply {
  const { callId, body } = bodyOf(bytes, REPLY)
  const data = body.bytes(1)
  const error = body.bytes(2)

  if (error !== undefined) {
    return { callId, error: text.decode(error) }
  }

  if (data === undefined) {
    throw new MalformedBytesError('a reply has neither data nor an error')
  }

  return { callId, data }
}

function bodyOf(bytes: Uint8Array, field: number): { callId: Uint8Array; body: ProtobufReader } {
  const from = new ProtobufReader(bytes, MAX_ENVELOPE_FIELDS)
  const callId = from.bytes(CALL_ID)
  const body = from.bytes(field)

  if (callId?.length !== CALL_ID_BYTES || body === undefined) {
    throw new MalformedBytesError(`a message has no body, or no call id of ${CALL_ID_BYTES} bytes`)
  }

  return { callId, body: new ProtobufReader(body, MAX_ENVELOPE_FIELDS) }
}

function frame(message: Uint8Array): Uint8Array {
  const to = new ByteWriter()
  to.varint(message.length)
  to.bytes(message)
  return to.finish()
}

/** Bytes of the longest length. */
const MAX_HEAD_BYTES = 10

/** Collects one frame from incoming bytes, however small the pieces are. */
export class FrameCollector {
  readonly #queue = new ByteQueue()

  /** Bytes held. */
  get length(): number {
    return this.#queue.length
  }

  /**
   * Adds bytes, and returns the message once it is complete. Ignores the bytes after it.
   *
   * @throws MalformedBytesError for a message that is empty or too large
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    this.#queue.push(plain(chunk))
    const head = this.#head()
    const end = head && head.size + head.value

    if (head === undefined || end === undefined || this.#queue.length < end) {
      this.#queue.settle()
      return undefined
    }

    return this.#queue.take(end).subarray(head.size)
  }

  /** The length in front of the message; undefined while it is incomplete. */
  #head(): { readonly value: number; readonly size: number } | undefined {
    const length = Math.min(this.#queue.length, MAX_HEAD_BYTES)
    const head = leadingVarint(Uint8Array.from({ length }, (_, i) => this.#queue.at(i) ?? 0))

    if (head !== undefined && (head.value === 0 || head.value > MAX_FRAME_BYTES)) {
      throw new MalformedBytesError(
        `a message has ${head.value} bytes, from 1 to ${MAX_FRAME_BYTES} are allowed`
      )
    }

    return head
  }
}

/** Converts a Node Buffer to a plain Uint8Array, because `slice` of a Buffer does not copy. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}
