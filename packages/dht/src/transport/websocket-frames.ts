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

/** Bytes that are being gathered, in a room that may be larger. */
interface Gathered {
  room: Uint8Array
  size: number
}

const NOTHING = new Uint8Array(0)

/**
 * Reads frames as their bytes come. It passes on the payloads of each chunk, so it holds a head and a control frame
 * at most, however long a frame claims to be. The data of a chunk is gathered in one piece: an object for each frame
 * would occupy a hundred times as much as a byte in it. Throws for what breaks RFC 6455, for text, and for a flood of
 * tiny frames.
 */
export class WebSocketFrameReader {
  readonly #listener: FrameListener

  /** Whether the other side must mask its frames, as clients do. */
  readonly #isMasked: boolean
  readonly #head = new Uint8Array(MAX_HEAD_BYTES)
  #headBytes = 0

  /** The current frame, once its head is complete. */
  #isInFrame = false
  #opcode = 0
  #sizeBytes = 0
  #readBytes = 0
  readonly #mask = new Uint8Array(MASK_BYTES)

  readonly #control: Gathered = { room: new Uint8Array(MAX_CONTROL_BYTES), size: 0 }

  /** The data of the current chunk. */
  readonly #data: Gathered = { room: NOTHING, size: 0 }

  /** Frames that have ended in the current chunk. */
  #frames = 0
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

    try {
      while (position < bytes.length && !this.#isClosed) {
        position += this.#isInFrame ? 0 : this.#readHead(bytes, position)
        const taken = this.#isInFrame ? this.#readPayload(bytes, position) : 0
        position += taken
        payloadBytes += taken
        assertFrames(this.#frames, payloadBytes)
      }

      this.#passOn()
    } finally {
      this.#takeData()
    }
  }

  /** Passes on the data of the current chunk in one piece: each piece has a cost of its own in the layers above. */
  #passOn(): void {
    const { room, size } = this.#takeData()

    if (size > 0) {
      // The receiver may keep it, and would keep the unused room with it.
      this.#listener.onData(2 * size < room.length ? room.slice(0, size) : room.subarray(0, size))
    }
  }

  #takeData(): Gathered {
    const data = { ...this.#data }
    this.#data.room = NOTHING
    this.#data.size = 0
    return data
  }

  /** Returns the number of bytes taken. */
  #readHead(bytes: Uint8Array, position: number): number {
    let at = position

    while (at < bytes.length && this.#missingHeadBytes() > 0) {
      this.#head[this.#headBytes++] = bytes[at++] ?? 0
    }

    if (this.#missingHeadBytes() === 0) {
      this.#begin()
      this.#headBytes = 0
    }

    return at - position
  }

  /** The first two bytes determine the length of the head. */
  #missingHeadBytes(): number {
    return (this.#headBytes < 2 ? 2 : headSize(this.#head)) - this.#headBytes
  }

  /** Begins the frame whose head is complete. */
  #begin(): void {
    const [first = 0, second = 0] = this.#head
    const opcode = first & OPCODE_BITS
    const sizeBytes = payloadSize(this.#head)
    const isFinal = (first & FIN) !== 0

    if ((first & RESERVED) !== 0 || ((second & MASKED) !== 0) !== this.#isMasked) {
      throw new Error('a WebSocket frame is masked wrongly, or uses an extension')
    }

    if (opcode >= OPCODE.close) {
      assertControl(opcode, sizeBytes, isFinal)
      this.#control.size = 0
    } else {
      this.#assertData(opcode)
      this.#isFragmented = !isFinal
    }

    this.#isMasked &&
      this.#mask.set(this.#head.subarray(this.#headBytes - MASK_BYTES, this.#headBytes))
    this.#opcode = opcode
    this.#sizeBytes = sizeBytes
    this.#readBytes = 0
    this.#isInFrame = true
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
  #readPayload(bytes: Uint8Array, position: number): number {
    const sizeBytes = Math.min(this.#sizeBytes - this.#readBytes, bytes.length - position)

    if (this.#opcode >= OPCODE.close) {
      this.#gather(this.#control, bytes, position, sizeBytes)
    } else if (sizeBytes > 0) {
      // The rest of the chunk may be data, too.
      this.#data.room =
        this.#data.size > 0 ? this.#data.room : new Uint8Array(bytes.length - position)
      this.#gather(this.#data, bytes, position, sizeBytes)
    }

    this.#readBytes += sizeBytes

    if (this.#readBytes === this.#sizeBytes) {
      this.#end()
    }

    return sizeBytes
  }

  /** Copies bytes of the payload, without their mask. */
  #gather(to: Gathered, bytes: Uint8Array, position: number, sizeBytes: number): void {
    const { room, size } = to
    to.size += sizeBytes

    if (!this.#isMasked) {
      room.set(bytes.subarray(position, position + sizeBytes), size)
      return
    }

    const mask = this.#mask
    const readBytes = this.#readBytes

    for (let i = 0; i < sizeBytes; i++) {
      room[size + i] = (bytes[position + i] ?? 0) ^ (mask[(readBytes + i) & 3] ?? 0)
    }
  }

  #end(): void {
    this.#frames++
    this.#isInFrame = false

    if (this.#opcode === OPCODE.ping) {
      this.#listener.onPing(this.#control.room.slice(0, this.#control.size))
    } else if (this.#opcode === OPCODE.close) {
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
    masked(payload.subarray(), mask, frame.subarray(headBytes))
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

function masked(bytes: Uint8Array, mask: Uint8Array, into: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) {
    into[i] = (bytes[i] ?? 0) ^ (mask[i & 3] ?? 0)
  }
}
