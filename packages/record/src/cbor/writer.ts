import { floatSize, putFloat } from './float.ts'
import {
  headSize,
  isInteger,
  MAJOR,
  magnitudeOf,
  SIMPLE,
  TAG_NEGATIVE_BIGINT,
  TAG_POSITIVE_BIGINT
} from './format.ts'

/** Bytes of the shared buffer, which holds most results. So writing takes one allocation: the result. */
const BUFFER_BYTES = 16 * 1024

/** Bytes of the longest head. */
const MAX_HEAD_BYTES = 9

/** Most bytes that UTF-8 takes for one UTF-16 code unit. */
const MAX_UNIT_BYTES = 3

/** Length up to which a text is written character by character, which is faster: most are ASCII. */
const SHORT_TEXT = 40

/** Length from which a text is encoded separately, rather than space reserved for the most it may take. */
const LONG_TEXT = 4096

/** Arguments that announce a float of each size. */
const FLOATS = { 2: SIMPLE.float16, 4: SIMPLE.float32, 8: SIMPLE.float64 }

const utf8 = new TextEncoder()

/** The shared buffer. Undefined while in use: a getter of a value that is being written may write, too. */
let buffer: Uint8Array | undefined

/** Calls `write` with a writer and returns the bytes written, in memory of their own. */
export function writeBytes(write: (to: CanonicalWriter) => void): Uint8Array {
  const taken = buffer ?? new Uint8Array(BUFFER_BYTES)
  buffer = undefined

  try {
    const writer = new CanonicalWriter(taken)
    write(writer)
    return writer.copy()
  } finally {
    buffer = taken
  }
}

/** Writes the CBOR that {@link CanonicalReader} reads. */
export class CanonicalWriter {
  #bytes: Uint8Array
  #at = 0

  constructor(buffer: Uint8Array) {
    this.#bytes = buffer
  }

  /** Copies the bytes written so far. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  /** Writes one byte. */
  byte(byte: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = byte
  }

  /** Writes the head of an item: its major type, and a count or an integer that is not negative. */
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

  /** Writes a number: an integer or a float. */
  number(n: number): void {
    if (!isInteger(n)) {
      this.#float(n)
    } else if (n < 0) {
      this.head(MAJOR.negint, -1 - n)
    } else {
      this.head(MAJOR.uint, n)
    }
  }

  /** Writes a bigint of at most 64 bits. */
  bigInt(n: bigint): void {
    this.head(MAJOR.tag, n < 0n ? TAG_NEGATIVE_BIGINT : TAG_POSITIVE_BIGINT)
    this.byteString(magnitudeOf(n))
  }

  /** Writes a byte string. */
  byteString(bytes: Uint8Array): void {
    this.head(MAJOR.bytes, bytes.length)
    this.encoding(bytes)
  }

  /** Writes a string, which must be well-formed. */
  text(text: string): void {
    if (text.length > LONG_TEXT) {
      const bytes = utf8.encode(text)
      this.head(MAJOR.string, bytes.length)
      this.encoding(bytes)
    } else if (text.length > SHORT_TEXT || !this.#ascii(text)) {
      this.#utf8(text)
    }
  }

  /** Writes bytes that are given as text with one character for each byte. */
  latin1(text: string): void {
    const at = this.#reserve(text.length)

    for (let i = 0; i < text.length; i++) {
      this.#bytes[at + i] = text.charCodeAt(i)
    }
  }

  /** Writes bytes that are encoded already. */
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

    // Text that is not ASCII takes more bytes than its length, and perhaps a longer head.
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

  /** Reserves this many bytes and returns where they begin. */
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
