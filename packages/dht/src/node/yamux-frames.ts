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
const PING = 2
const SYN = 1
const FIN = 4

/** What counts of a frame here. */
export interface FrameHead {
  readonly stream: number
  readonly isData: boolean

  /** Whether it opens a stream, and whether it ends one side of one. */
  readonly opens: boolean
  readonly ends: boolean
}

/** Bytes as a muxer sends or receives them. */
interface FrameBytes {
  readonly byteLength: number
  subarray(from?: number, to?: number): Uint8Array
}

/** Reads the head of the frame that some bytes begin with. */
export function headOf(frame: FrameBytes): FrameHead {
  return parse(frame.subarray(0, HEAD_BYTES))
}

/** Finds the frames in bytes that come piece by piece. */
export class FrameScanner {
  readonly #head = new Uint8Array(HEAD_BYTES)
  #headBytes = 0
  #missingBytes = 0

  /** Bytes of the last head that came in earlier pieces. */
  #earlierBytes = 0

  /** Goes back to where the last frame of this piece begins, whose bytes will come again. */
  rewind(): void {
    this.#headBytes = this.#earlierBytes
    this.#missingBytes = 0
  }

  /** Lists the heads that end in a piece, each with the place where its frame begins, at least 0. */
  *scan(bytes: Uint8Array): Generator<readonly [head: FrameHead, at: number], void, undefined> {
    for (let at = 0; at < bytes.length; ) {
      const skipped = Math.min(this.#missingBytes, bytes.length - at)
      this.#missingBytes -= skipped
      at += skipped
      const start = Math.max(0, at - this.#headBytes)
      const part = bytes.subarray(at, at + HEAD_BYTES - this.#headBytes)
      this.#head.set(part, this.#headBytes)
      this.#headBytes += part.length
      at += part.length

      if (this.#headBytes === HEAD_BYTES) {
        this.#earlierBytes = HEAD_BYTES - part.length
        this.#headBytes = 0
        this.#missingBytes = this.#head[TYPE_AT] === DATA ? lengthIn(this.#head) : 0
        yield [parse(this.#head), start]
      }
    }
  }
}

function parse(head: Uint8Array): FrameHead {
  const flags = head[TYPE_AT] === PING ? 0 : (head[FLAGS_AT] ?? 0)
  return {
    stream: viewOf(head).getUint32(STREAM_AT),
    isData: head[TYPE_AT] === DATA,
    opens: (flags & SYN) !== 0,
    ends: (flags & FIN) !== 0
  }
}

function lengthIn(head: Uint8Array): number {
  return viewOf(head).getUint32(LENGTH_AT)
}

function viewOf({ buffer, byteOffset }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset)
}
