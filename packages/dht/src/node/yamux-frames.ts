/*
 * A yamux frame's head (hashicorp/yamux spec, "Framing"): version, type, flags (16 bits), stream
 * (32 bits), length (32 bits), all big end first. A frame of data is followed by that many bytes.
 */
const HEAD_BYTES = 12
const TYPE_AT = 1
const FLAGS_AT = 3
const STREAM_AT = 4
const LENGTH_AT = 8
const DATA = 0
const WINDOW_UPDATE = 1
const PING = 2
const SYN = 1
const ACK = 2
const FIN = 4

/** Position of an incomplete head. */
export const UNFINISHED = -1

/** Bytes from a muxer: one piece, or a list of pieces. */
interface FrameBytes {
  readonly byteLength: number
  subarray(from?: number, to?: number): Uint8Array
}

/** Reads the head of a frame. */
export class FrameHead {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The head of the frame that some bytes begin with. */
  static of(frame: FrameBytes): FrameHead {
    return new FrameHead(frame instanceof Uint8Array ? frame : frame.subarray(0, HEAD_BYTES))
  }

  get stream(): number {
    return this.#uint32(STREAM_AT)
  }

  get isData(): boolean {
    return this.#bytes[TYPE_AT] === DATA
  }

  /** Bytes of data that follow. */
  get dataBytes(): number {
    return this.isData ? this.#uint32(LENGTH_AT) : 0
  }

  /** Whether it opens a stream. */
  get opens(): boolean {
    return (this.#flags & SYN) !== 0
  }

  /** Whether it ends one side of a stream. */
  get ends(): boolean {
    return (this.#flags & FIN) !== 0
  }

  /** Whether it only opens, confirms or ends a stream. Nobody waits for that before something else arrives. */
  get isMark(): boolean {
    return this.#bytes[TYPE_AT] === WINDOW_UPDATE && (this.#flags & (SYN | ACK | FIN)) !== 0
  }

  /** The flags. A ping request has the same flag as a frame that opens a stream. */
  get #flags(): number {
    return this.#bytes[TYPE_AT] === PING ? 0 : (this.#bytes[FLAGS_AT] ?? 0)
  }

  #uint32(at: number): number {
    const [bytes, low] = [this.#bytes, at + 2]
    const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    return high * 2 ** 16 + (((bytes[low] ?? 0) << 8) | (bytes[low + 1] ?? 0))
  }
}

/**
 * Finds the frames in bytes that arrive piece by piece. Allocates nothing, because every received byte passes here.
 */
export class FrameScanner {
  readonly #bytes = new Uint8Array(HEAD_BYTES)
  #headBytes = 0
  #missingBytes = 0

  /** Bytes of the last head in earlier pieces. */
  #earlierBytes = 0

  /** The head that {@link next} found. */
  readonly head: FrameHead = new FrameHead(this.#bytes)

  /** Bytes of the last frame that have not arrived yet. */
  get missingBytes(): number {
    return this.#missingBytes
  }

  /** Finds the next head in a piece, from a position on. Returns the position of its end, or {@link UNFINISHED}. */
  next(piece: Uint8Array, from: number): number {
    const skipped = Math.min(this.#missingBytes, piece.length - from)
    let at = from + skipped
    this.#missingBytes -= skipped
    this.#earlierBytes = this.#headBytes

    while (this.#headBytes < HEAD_BYTES) {
      if (at === piece.length) {
        return UNFINISHED
      }

      this.#bytes[this.#headBytes++] = piece[at++] ?? 0
    }

    this.#headBytes = 0
    this.#missingBytes = this.head.dataBytes
    return at
  }

  /**
   * Forgets the head that ends at a position. Returns the position of its first byte in this piece, which will be
   * passed again.
   */
  rewind(at: number): number {
    this.#headBytes = this.#earlierBytes
    this.#missingBytes = 0
    return at - (HEAD_BYTES - this.#earlierBytes)
  }
}
