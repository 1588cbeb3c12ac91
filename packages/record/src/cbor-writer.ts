import {
  headSize,
  isInteger,
  MAJOR,
  magnitudeOf,
  SIMPLE,
  TAG_NEGATIVE_BIGINT,
  TAG_POSITIVE_BIGINT
} from './cbor.ts'
import { floatSize, putFloat } from './float.ts'

/** Room for most of what is written, so that it takes one allocation: the result's own. */
const ROOM_BYTES = 16 * 1024

const MAX_HEAD_BYTES = 9

/** What UTF-8 takes at most for one of UTF-16's units. */
const MAX_UNIT_BYTES = 3

/** Up to this length a text is looked at letter by letter: it is quicker, and most are ASCII. */
const SHORT_TEXT = 40

/** From this length on a text is encoded apart, rather than room made for the most it may take. */
const LONG_TEXT = 4096

/** What says how many bytes of a float follow. */
const FLOATS = { 2: SIMPLE.float16, 4: SIMPLE.float32, 8: SIMPLE.float64 }

const utf8 = new TextEncoder()

/** Missing while somebody writes: a getter of a value that is being written may write another one. */
let room: Uint8Array | undefined

/** The bytes that `write` writes, in memory of their own. */
export function written(write: (to: CanonicalWriter) => void): Uint8Array {
  const taken = room ?? new Uint8Array(ROOM_BYTES)
  room = undefined

  try {
    const writer = new CanonicalWriter(taken)
    write(writer)
    return writer.copy()
  } finally {
    room = taken
  }
}

/** Writes the CBOR that {@link CanonicalReader} reads. */
export class CanonicalWriter {
  #bytes: Uint8Array
  #at = 0

  constructor(room: Uint8Array) {
    this.#bytes = room
  }

  /** What was written so far. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  byte(byte: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = byte
  }

  /** The head of an item: its major type, and a count or an integer that is not negative. */
  head(major: number, argument: number): void {
    const size = headSize(argument)
    const at = this.#reserve(size)
    const typeBits = major << 5

    if (size === 1) {
      this.#bytes[at] = typeBits | argument
      return
    }

    this.#bytes[at] = typeBits | (24 + Math.log2(size - 1))

    for (let i = size - 1, rest = argument; i > 0; i--) {
      this.#bytes[at + i] = rest
      rest = Math.floor(rest / 256)
    }
  }

  /** An integer or a float, as the number is. */
  number(n: number): void {
    if (!isInteger(n)) {
      this.#float(n)
    } else if (n < 0) {
      this.head(MAJOR.negint, -1 - n)
    } else {
      this.head(MAJOR.uint, n)
    }
  }

  bigInt(n: bigint): void {
    this.head(MAJOR.tag, n < 0n ? TAG_NEGATIVE_BIGINT : TAG_POSITIVE_BIGINT)
    this.byteString(magnitudeOf(n))
  }

  byteString(bytes: Uint8Array): void {
    this.head(MAJOR.bytes, bytes.length)
    this.encoding(bytes)
  }

  /** A string, which has to be well-formed. */
  text(text: string): void {
    if (text.length > LONG_TEXT) {
      const bytes = utf8.encode(text)
      this.head(MAJOR.string, bytes.length)
      this.encoding(bytes)
    } else if (text.length > SHORT_TEXT || !this.#ascii(text)) {
      this.#utf8(text)
    }
  }

  /** Bytes that are given as text, one character a byte. */
  latin1(text: string): void {
    const at = this.#reserve(text.length)

    for (let i = 0; i < text.length; i++) {
      this.#bytes[at + i] = text.charCodeAt(i)
    }
  }

  /** What is already the encoding of something. */
  encoding(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  #ascii(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) > 0x7f) {
        return false
      }
    }

    this.head(MAJOR.string, text.length)
    this.latin1(text)
    return true
  }

  #utf8(text: string): void {
    const at = this.#reserve(MAX_HEAD_BYTES + MAX_UNIT_BYTES * text.length)
    const guess = at + headSize(text.length)
    const size = utf8.encodeInto(text, this.#bytes.subarray(guess)).written
    const content = at + headSize(size)

    // Other text than ASCII takes more bytes than its length says, and perhaps a longer head.
    if (content !== guess) {
      this.#bytes.copyWithin(content, guess, guess + size)
    }

    this.#at = at
    this.head(MAJOR.string, size)
    this.#at += size
  }

  #float(n: number): void {
    const size = floatSize(n)
    const at = this.#reserve(1 + size)
    this.#bytes[at] = (MAJOR.simple << 5) | FLOATS[size]
    putFloat(n, size, this.#bytes, at + 1)
  }

  /** Makes room for so many bytes and says where it begins. */
  #reserve(count: number): number {
    const at = this.#at
    this.#at += count

    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#at)
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
    }

    return at
  }
}
