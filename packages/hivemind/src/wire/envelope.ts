import { ByteWriter } from '../bytes/byte-writer.ts'
import { MalformedBytesError } from '../errors.ts'
import { leadingVarint, ProtobufReader, ProtobufWriter } from './protobuf.ts'

/*
 * frame = uvarint length, PersistentConnectionRequest (p2pd's, proto2)
 *
 * A call has one frame in each direction on a stream of its own. Python cancels calls whose caller
 * closes its side before it has the answer, and those with any byte behind the frame.
 */

/** Bytes of one message, in either direction. A larger one gets no answer from p2pd. */
export const MAX_FRAME_BYTES: number = 4 * 1024 * 1024

/** Bytes of a call's id. p2pd ends the stream of any other. */
export const CALL_ID_BYTES = 16

const CALL_ID = 1
const CALL = 3
const REPLY = 4

/** One call of one procedure. */
export interface Call {
  readonly callId: Uint8Array

  /** The callee's peer id, which says nothing: the connection tells who calls whom. */
  readonly peer: Uint8Array

  /** The name of the procedure. Python calls this one, whatever the stream's protocol is. */
  readonly procedure: string
  readonly data: Uint8Array
}

/** What comes back: data, or the text of what went wrong. */
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
  const reply = (data === undefined ? to.bytes(2, utf8.encode(error)) : to.bytes(1, data)).finish()
  return frame(new ProtobufWriter().bytes(CALL_ID, callId).bytes(REPLY, reply).finish())
}

/** @throws MalformedBytesError for what is no call that p2pd would answer */
export function decodeCall(bytes: Uint8Array): Call {
  const { callId, body } = bodyOf(bytes, CALL)
  const peer = body.bytes(1)
  const procedure = body.bytes(2)
  const data = body.bytes(3)

  if (peer === undefined || procedure === undefined || data === undefined) {
    throw new MalformedBytesError('a call lacks its peer, its procedure or its data')
  }

  return { callId, peer, procedure: text.decode(procedure), data }
}

/** @throws MalformedBytesError for what is no reply */
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
  const from = new ProtobufReader(bytes)
  const callId = from.bytes(CALL_ID)
  const body = from.bytes(field)

  if (callId?.length !== CALL_ID_BYTES || body === undefined) {
    throw new MalformedBytesError(`a message has no body, or no call id of ${CALL_ID_BYTES} bytes`)
  }

  return { callId, body: new ProtobufReader(body) }
}

function frame(message: Uint8Array): Uint8Array {
  const to = new ByteWriter()
  to.varint(message.length)
  to.bytes(message)
  return to.finish()
}

/** Puts together one frame of what arrives. */
export class FrameCollector {
  #chunks: Uint8Array[] = []
  #length = 0

  /** Bytes held. */
  get length(): number {
    return this.#length
  }

  /**
   * Takes in bytes, and returns the message once all of it is there. What follows is ignored.
   *
   * @throws MalformedBytesError for a message that is empty or too large
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    this.#chunks.push(plain(chunk))
    this.#length += chunk.length
    const head = leadingVarint(this.#start())

    if (head === undefined) {
      return undefined
    }

    if (head.value === 0 || head.value > MAX_FRAME_BYTES) {
      throw new MalformedBytesError(
        `a message has ${head.value} bytes, from 1 to ${MAX_FRAME_BYTES} are allowed`
      )
    }

    const end = head.size + head.value
    return this.#length < end ? undefined : this.#whole().subarray(head.size, end)
  }

  /** Enough of the beginning to read a length from. */
  #start(): Uint8Array {
    const [first = new Uint8Array(0)] = this.#chunks
    return first.length >= MAX_HEAD_BYTES ? first : this.#whole().subarray(0, MAX_HEAD_BYTES)
  }

  #whole(): Uint8Array {
    const [first] = this.#chunks

    if (this.#chunks.length === 1 && first !== undefined) {
      return first
    }

    const whole = new Uint8Array(this.#length)
    let at = 0

    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }

    this.#chunks = [whole]
    return whole
  }
}

/** Bytes of the longest length. */
const MAX_HEAD_BYTES = 10

/** Node's Buffers are Uint8Arrays whose `slice` makes no copy; nobody further in should have to know. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}
