import { ExchangeProtocolError } from './protocol-error.ts'

const FIRST_CAPACITY = 1024
const MAX_VARINT_BYTES = 5

/** Appends numbers and byte strings to a buffer that grows. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY)
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** An unsigned LEB128 number below 2³². */
  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES)
    let rest = value

    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }

    this.#bytes[this.#length++] = rest
  }

  /** A byte string, after its length. */
  byteString(value: Uint8Array): void {
    this.varint(value.length)
    this.bytes(value)
  }

  /** Bytes as they are. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** Leaves room for a 32-bit number, big end first, and says where. */
  reserveUint32(): number {
    this.#reserve(4)
    const position = this.#length
    this.#length += 4
    return position
  }

  /** Fills in a number for which room was left. */
  setUint32(position: number, value: number): void {
    new DataView(this.#bytes.buffer).setUint32(position, value)
  }

  /** Gives away what was written, and begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = new Uint8Array(FIRST_CAPACITY)
    this.#length = 0
    return taken
  }

  #reserve(more: number): void {
    if (this.#length + more > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
  }
}

/** Reads what a {@link ByteWriter} wrote; throws an ExchangeProtocolError for anything else. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    const value = this.#bytes[this.#position]

    if (value === undefined) {
      throw new ExchangeProtocolError('a message is cut short')
    }

    this.#position++
    return value
  }

  /** A number in its shortest form, at most `most`. */
  varint(most: number, what: string): number {
    let value = 0

    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * i)

      if (byte < 0x80) {
        return checked(value, { most, what, isShortest: byte > 0 || i === 0 })
      }
    }

    throw new ExchangeProtocolError(`${what} has more than ${MAX_VARINT_BYTES} bytes`)
  }

  /** A view of the next byte string, of at most so many bytes. */
  byteString(maxBytes: number, what: string): Uint8Array {
    const length = this.varint(maxBytes, `the length of ${what}`)
    const end = this.#position + length

    if (end > this.#bytes.length) {
      throw new ExchangeProtocolError(`${what} is cut short`)
    }

    const value = this.#bytes.subarray(this.#position, end)
    this.#position = end
    return value
  }

  /** Throws unless everything has been read. */
  end(): void {
    if (this.#position < this.#bytes.length) {
      throw new ExchangeProtocolError('bytes after the end of a message')
    }
  }
}

function checked(
  value: number,
  { most, what, isShortest }: { most: number; what: string; isShortest: boolean }
): number {
  if (value > most) {
    throw new ExchangeProtocolError(`${what} is ${value}, at most ${most} is allowed`)
  }

  if (!isShortest) {
    throw new ExchangeProtocolError(`${what} is not in its shortest form`)
  }

  return value
}
