import { concat } from 'uint8arrays/concat'

/** Opcodes of frames (RFC 6455, §5.2). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Maximum bytes in a control frame. */
const MAX_CONTROL_BYTES = 125

/** Bytes of the longest head: two bytes, a length of eight, and a mask of four. */
const MAX_HEAD_BYTES = 14
const MASK_BYTES = 4

const FIN = 0x80
const RESERVED = 0x70
const OPCODE_BITS = 0x0f
const MASKED = 0x80
const LENGTH_BITS = 0x7f
const LENGTH_IN_2_BYTES = 126
const LENGTH_IN_8_BYTES = 127
const MAX_2_BYTES = 0xffff
const BITS_32 = 2 ** 32

/** Frames of one chunk that may be smaller than {@link MIN_MEAN_BYTES}: each costs far more than its bytes. */
const MAX_SMALL_FRAMES = 1024

/** Minimum bytes that the frames of one chunk carry on average. */
const MIN_MEAN_BYTES = 8

/** The high half of a length beyond which a number is no longer exact. */
const MAX_HIGH = 0x1fffff

/** Callbacks for frames. */
export interface FrameListener {
  /** Receives the data of one chunk. Messages carry one stream of bytes, so their boundaries do not matter. */
  onData(data: Uint8Array): void
  onPing(payload: Uint8Array): void
  onClose(): void
}

interface Frame {
  readonly opcode: number
  readonly mask: Uint8Array | undefined
  readonly sizeBytes: number
  readBytes: number
}

/**
 * Reads frames as their bytes come. It passes on the payloads of each chunk, so it holds a head and a control frame
 * at most, however long a frame claims to be. Throws for what breaks RFC 6455, for text, and for a flood of tiny
 * frames.
 */
export class FrameReader {
  readonly #listener: FrameListener

  /** Whether the other side must mask its frames, as clients do. */
  readonly #isMasked: boolean
  readonly #head = new Uint8Array(MAX_HEAD_BYTES)
  readonly #control = new Uint8Array(MAX_CONTROL_BYTES)
  #headBytes = 0

  /** The data of the current chunk, by frame. */
  #pieces: Uint8Array[] = []

  /** Frames that have ended in the current chunk. */
  #frames = 0
  #frame: Frame | undefined
  #isFragmented = false
  #isClosed = false

  constructor(listener: FrameListener, { isMasked }: { readonly isMasked: boolean }) {
    this.#listener = listener
    this.#isMasked = isMasked
  }

  push(bytes: Uint8Array): void {
    let position = 0
    let payloadBytes = 0
    this.#frames = 0

    while (position < bytes.length && !this.#isClosed) {
      position += this.#frame === undefined ? this.#readHead(bytes, position) : 0
      const taken = this.#frame === undefined ? 0 : this.#readPayload(this.#frame, bytes, position)
      position += taken
      payloadBytes += taken
      assertFrames(this.#frames, payloadBytes)
    }

    this.#passOn()
  }

  /** Passes on the data of the current chunk in one piece: each piece has a cost of its own in the layers above. */
  #passOn(): void {
    const pieces = this.#pieces
    const [first] = pieces

    if (first !== undefined) {
      this.#pieces = []
      this.#listener.onData(pieces.length === 1 ? first : concat(pieces))
    }
  }

  /** Returns the number of bytes taken. */
  #readHead(bytes: Uint8Array, position: number): number {
    const taken = bytes.subarray(position, position + this.#missingHeadBytes())
    this.#head.set(taken, this.#headBytes)
    this.#headBytes += taken.length

    if (this.#missingHeadBytes() === 0) {
      this.#frame = this.#frameOf(this.#head.subarray(0, this.#headBytes))
      this.#headBytes = 0
    }

    return taken.length
  }

  /** The first two bytes determine the length of the head. */
  #missingHeadBytes(): number {
    return (this.#headBytes < 2 ? 2 : headSize(this.#head)) - this.#headBytes
  }

  #frameOf(head: Uint8Array): Frame {
    const [first = 0, second = 0] = head
    const opcode = first & OPCODE_BITS
    const isMasked = (second & MASKED) !== 0
    const sizeBytes = payloadSize(head)
    const isFinal = (first & FIN) !== 0

    if ((first & RESERVED) !== 0 || isMasked !== this.#isMasked) {
      throw new Error('a WebSocket frame is masked wrongly, or uses an extension')
    }

    if (opcode >= OPCODE.close) {
      assertControl(opcode, sizeBytes, isFinal)
    } else {
      this.#assertData(opcode)
      this.#isFragmented = !isFinal
    }

    const mask = isMasked ? head.slice(-MASK_BYTES) : undefined
    return { opcode, mask, sizeBytes, readBytes: 0 }
  }

  #assertData(opcode: number): void {
    const isExpected = this.#isFragmented
      ? opcode === OPCODE.continuation
      : opcode === OPCODE.binary

    if (!isExpected) {
      throw new Error(`a WebSocket frame of type ${opcode} is out of place: messages are binary`)
    }
  }

  /** Returns the number of bytes taken. */
  #readPayload(frame: Frame, bytes: Uint8Array, position: number): number {
    const sizeBytes = Math.min(frame.sizeBytes - frame.readBytes, bytes.length - position)
    const masked = bytes.subarray(position, position + sizeBytes)
    const piece = frame.mask ? unmasked(masked, frame.mask, frame.readBytes) : masked

    if (frame.opcode >= OPCODE.close) {
      this.#control.set(piece, frame.readBytes)
    } else if (sizeBytes > 0) {
      this.#pieces.push(piece)
    }

    frame.readBytes += sizeBytes

    if (frame.readBytes === frame.sizeBytes) {
      this.#frame = undefined
      this.#end(frame)
    }

    return sizeBytes
  }

  #end({ opcode, sizeBytes }: Frame): void {
    this.#frames++

    if (opcode === OPCODE.ping) {
      this.#listener.onPing(this.#control.slice(0, sizeBytes))
    } else if (opcode === OPCODE.close) {
      this.#isClosed = true
      this.#passOn()
      this.#listener.onClose()
    }
  }
}

/** Encodes one frame. A client masks its payload. */
export function frameOf(
  payload: { readonly byteLength: number; subarray(): Uint8Array },
  { opcode, isMasked }: { readonly opcode: number; readonly isMasked: boolean }
): Uint8Array {
  const { byteLength } = payload
  const lengthBytes = byteLength < LENGTH_IN_2_BYTES ? 0 : byteLength <= MAX_2_BYTES ? 2 : 8
  const headBytes = 2 + lengthBytes + (isMasked ? MASK_BYTES : 0)
  const frame = new Uint8Array(headBytes + byteLength)
  frame[0] = FIN | opcode
  frame[1] = (isMasked ? MASKED : 0) | shortLength(byteLength, lengthBytes)

  for (let i = 0, rest = byteLength; i < lengthBytes; i++, rest = Math.floor(rest / 256)) {
    frame[1 + lengthBytes - i] = rest % 256
  }

  if (isMasked) {
    const mask = crypto.getRandomValues(new Uint8Array(MASK_BYTES))
    frame.set(mask, headBytes - MASK_BYTES)
    frame.set(unmasked(payload.subarray(), mask, 0), headBytes)
  } else {
    frame.set(payload.subarray(), headBytes)
  }

  return frame
}

function shortLength(byteLength: number, lengthBytes: number): number {
  return lengthBytes === 0 ? byteLength : lengthBytes === 2 ? LENGTH_IN_2_BYTES : LENGTH_IN_8_BYTES
}

function headSize(head: Uint8Array): number {
  const second = head[1] ?? 0
  const length = second & LENGTH_BITS
  const lengthBytes = length === LENGTH_IN_2_BYTES ? 2 : length === LENGTH_IN_8_BYTES ? 8 : 0
  return 2 + lengthBytes + ((second & MASKED) === 0 ? 0 : MASK_BYTES)
}

function payloadSize(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const length = view.getUint8(1) & LENGTH_BITS

  if (length < LENGTH_IN_2_BYTES) {
    return length
  }

  if (length === LENGTH_IN_2_BYTES) {
    return view.getUint16(2)
  }

  const high = view.getUint32(2)

  if (high > MAX_HIGH) {
    throw new Error('a WebSocket frame is longer than any')
  }

  return high * BITS_32 + view.getUint32(6)
}

function assertFrames(frames: number, payloadBytes: number): void {
  if (frames > MAX_SMALL_FRAMES && payloadBytes < MIN_MEAN_BYTES * frames) {
    throw new Error(`${frames} WebSocket frames came at once with ${payloadBytes} bytes: too small`)
  }
}

function assertControl(opcode: number, sizeBytes: number, isFinal: boolean): void {
  if (opcode > OPCODE.pong || sizeBytes > MAX_CONTROL_BYTES || !isFinal) {
    throw new Error(`a WebSocket control frame of type ${opcode} is none, too long, or in parts`)
  }
}

/** Masking is its own inverse. The result is a copy. */
function unmasked(bytes: Uint8Array, mask: Uint8Array, offset: number): Uint8Array {
  const [a = 0, b = 0, c = 0, d = 0] = mask
  const keys = [a, b, c, d]
  const copy = new Uint8Array(bytes.length)

  for (let i = 0; i < bytes.length; i++) {
    copy[i] = (bytes[i] ?? 0) ^ (keys[(offset + i) & 3] ?? 0)
  }

  return copy
}
