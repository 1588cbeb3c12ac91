import { ProtocolViolationError } from './protocol-violation-error.ts'

/** Bytes of a new buffer. */
const FIRST_CAPACITY = 8192

/** Minimum bytes left in a buffer for the next writer to use it. */
const MIN_REST_BYTES = 1024

/** Partly used buffers kept for the next writers. */
const MAX_RESTS = 16

const MAX_VARINT_BYTES = 5
const NOTHING = new Uint8Array(0)

/** Unused ends of writers' buffers: one allocation serves many small messages. */
const rests: Uint8Array[] = []

/** Appends numbers and byte strings to a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array = NOTHING
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      this.#grow(1)
    }

    this.#bytes[this.#length++] = value
  }

  /** Writes an unsigned LEB128 number below 2³². */
  varint(value: number): void {
    let rest = value

    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }

    this.byte(rest)
  }

  /** Writes a byte string after its length. */
  byteString(value: Uint8Array): void {
    this.varint(value.length)
    this.bytes(value)
  }

  /** Writes bytes without their length. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** Writes a 64-bit float, big end first. */
  float64(value: number): void {
    this.#reserve(8)
    this.#view().setFloat64(this.#length, value)
    this.#length += 8
  }

  /** Reserves room for a 32-bit number, big end first, and returns its position. */
  reserveUint32(): number {
    this.#reserve(4)
    const position = this.#length
    this.#length += 4
    return position
  }

  /** Writes a number into reserved room. */
  setUint32(position: number, value: number): void {
    this.#view().setUint32(position, value)
  }

  /** Discards everything written from a position on. */
  truncate(length: number): void {
    this.#length = length
  }

  /** Returns the written bytes, and starts over. */
  take(): Uint8Array {
    const { buffer, byteOffset, length } = this.#bytes
    const taken = new Uint8Array(buffer, byteOffset, this.#length)

    if (length - this.#length >= MIN_REST_BYTES && rests.length < MAX_RESTS) {
      rests.push(new Uint8Array(buffer, byteOffset + this.#length))
    }

    this.#bytes = NOTHING
    this.#length = 0
    return taken
  }

  #view(): DataView {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset)
  }

  #reserve(more: number): void {
    if (this.#length + more > this.#bytes.length) {
      this.#grow(more)
    }
  }

  #grow(more: number): void {
    const needed = this.#length + more
    const rest = rests.at(-1)

    if (this.#bytes === NOTHING && rest !== undefined && rest.length >= needed) {
      rests.pop()
      this.#bytes = rest
      return
    }

    const capacity = Math.max(FIRST_CAPACITY, 2 * this.#bytes.length, needed)
    const grown = new Uint8Array(capacity)
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

/** Reads the format of {@link ByteWriter}. Throws a ProtocolViolationError for anything else. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #position = 0

  /** Number of the response's peers, once they are read. */
  peerCount = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    const value = this.#bytes[this.#position]

    if (value === undefined) {
      throw new ProtocolViolationError('a message is cut short')
    }

    this.#position++
    return value
  }

  /** Reads a number in its shortest form, at most `most`. */
  varint(most: number, what: string): number {
    const first = this.byte()
    const value = first < 0x80 ? first : this.#longVarint(first, what)

    if (value > most) {
      throw new ProtocolViolationError(`${what} is ${value}, at most ${most} is allowed`)
    }

    return value
  }

  /** Returns a view of the next bytes. */
  bytes(length: number, what: string): Uint8Array {
    const start = this.#position
    this.#position = this.#endOf(length, what)
    return this.since(start)
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position
  }

  /** Skips the next bytes. */
  skip(length: number, what: string): void {
    this.#position = this.#endOf(length, what)
  }

  /** Returns a view of the bytes read from a position on. */
  since(position: number): Uint8Array {
    const { buffer, byteOffset } = this.#bytes
    return new Uint8Array(buffer, byteOffset + position, this.#position - position)
  }

  /** Reads a 64-bit float, big end first. */
  float64(what: string): number {
    const { buffer, byteOffset } = this.bytes(8, what)
    return new DataView(buffer, byteOffset).getFloat64(0)
  }

  /** Throws unless everything has been read. */
  end(): void {
    if (this.#position < this.#bytes.length) {
      throw new ProtocolViolationError('bytes after the end of a message')
    }
  }

  #endOf(length: number, what: string): number {
    const end = this.#position + length

    if (end > this.#bytes.length) {
      throw new ProtocolViolationError(`${what} is cut short`)
    }

    return end
  }

  #longVarint(first: number, what: string): number {
    let value = first & 0x7f

    for (let i = 1; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * i)

      if (byte === 0) {
        throw new ProtocolViolationError(`${what} is not in its shortest form`)
      }

      if (byte < 0x80) {
        return value
      }
    }

    throw new ProtocolViolationError(`${what} has more than ${MAX_VARINT_BYTES} bytes`)
  }
}
