import {
  bigIntOf,
  headSize,
  is64Bit,
  isInteger,
  MAJOR,
  SIMPLE,
  TAG_NEGATIVE_BIGINT,
  TAG_POSITIVE_BIGINT
} from './cbor.ts'
import { MalformedRecordError } from './errors.ts'
import { type FloatSize, floatAt, floatSize } from './float.ts'

/** In place of an argument: that items follow until a break, and the break itself. */
const INDEFINITE = 31

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Texts up to this length are looked at byte by byte, as most are short and ASCII: it is quicker. */
const SHORT_TEXT_BYTES = 128

/**
 * Reads CBOR item by item and refuses whatever is not the canonical form (R10). It keeps nothing
 * of what it passes over, so that no input makes it take more memory than the input itself.
 *
 * An item is read in two steps: {@link head}, then whatever reads the content of its kind.
 */
export class CanonicalReader {
  readonly #bytes: Uint8Array
  readonly #start: number
  #at: number

  /** Where the last head is, and its argument. */
  #item = 0
  #argument = 0

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = plainBytes(bytes)
    this.#start = start
    this.#at = start
  }

  /** How many bytes have been read. */
  get position(): number {
    return this.#at - this.#start
  }

  /** The argument of the last head: a count of bytes, items or pairs, a tag, or the number itself. */
  get argument(): number {
    return this.#argument
  }

  /** The bytes from a position to where it is: a view, not a copy. */
  since(position: number): Uint8Array {
    return this.#bytes.subarray(this.#start + position, this.#at)
  }

  /** Expects that nothing follows. */
  end(): void {
    const left = this.#bytes.length - this.#at

    if (left > 0) {
      throw new MalformedRecordError(`${left} bytes after the end`)
    }
  }

  /** Reads the head of an item and gives its major type. */
  head(): number {
    const first = this.#bytes[this.#at]

    if (first === undefined) {
      throw new MalformedRecordError(`the bytes end at ${this.position}, where a value is expected`)
    }

    this.#item = this.#at++
    const major = first >> 5
    const info = first & 0x1f
    this.#argument = info < 24 || major === MAJOR.simple ? info : this.#longArgument(major, info)
    return major
  }

  /** Reads the head of a map and gives the number of its pairs. */
  mapHead(what: string): number {
    this.#expect(MAJOR.map, what)
    return this.#argument
  }

  /** Reads the head of a string. */
  stringHead(what: string): void {
    this.#expect(MAJOR.string, what)
  }

  /** Reads an integer that is not negative. */
  uint(what: string): number {
    this.#expect(MAJOR.uint, what)
    return this.#argument
  }

  /** Reads a number that is not a bigint. */
  number(what: string): number {
    const major = this.head()

    if (major === MAJOR.uint) {
      return this.#argument
    }

    if (major === MAJOR.negint) {
      return -1 - this.#argument
    }

    if (major === MAJOR.simple && this.#argument >= SIMPLE.float16) {
      return this.simple() as number
    }

    throw this.#unexpected(major, what)
  }

  /** Reads a byte string: a view, not a copy. */
  byteString(what: string): Uint8Array {
    this.#expect(MAJOR.bytes, what)
    return this.bytes()
  }

  /** After the head of a byte string: its bytes, a view. */
  bytes(): Uint8Array {
    const start = this.#advance(this.#argument)
    return this.#bytes.subarray(start, this.#at)
  }

  /** After the head of a string: its text. */
  text(): string {
    const bytes = this.bytes()

    try {
      return utf8.decode(bytes)
    } catch (cause) {
      throw new MalformedRecordError('a string is not UTF-8', { cause })
    }
  }

  /** After the head of a byte string: passes over its bytes. */
  skipBytes(): void {
    this.#advance(this.#argument)
  }

  /** After the head of a string: passes over its text, checking it. */
  skipText(): void {
    const start = this.#at
    const end = start + this.#argument

    if (this.#argument <= SHORT_TEXT_BYTES && end <= this.#bytes.length && this.#isASCII(end)) {
      this.#at = end
    } else {
      this.text()
    }
  }

  /** After a head of major type 7: the value. */
  simple(): boolean | null | number {
    switch (this.#argument) {
      case SIMPLE.false:
        return false
      case SIMPLE.true:
        return true
      case SIMPLE.null:
        return null
      case SIMPLE.float16:
        return this.#float(2)
      case SIMPLE.float32:
        return this.#float(4)
      case SIMPLE.float64:
        return this.#float(8)
      default:
        throw this.#malformed(unknown(this.#argument))
    }
  }

  /** After the head of a tag: the bigint, which is all that a tag may stand for. */
  bigInt(): bigint {
    const tag = this.#argument
    const magnitude = this.byteString('the bytes of a bigint')
    const isKnown = tag === TAG_POSITIVE_BIGINT || tag === TAG_NEGATIVE_BIGINT
    const isShortest = magnitude.length <= 8 && magnitude[0] !== 0

    if (isKnown && isShortest) {
      const n = bigIntOf(tag, magnitude)

      if (is64Bit(n)) {
        return n
      }
    }

    throw this.#malformed('not a 64-bit bigint in its shortest form')
  }

  #float(size: FloatSize): number {
    const start = this.#advance(size)
    const n = floatAt(this.#bytes, start, size)

    if (Number.isNaN(n)) {
      throw this.#malformed('NaN is not allowed')
    }

    if (isInteger(n) || floatSize(n) !== size) {
      throw this.#malformed('a number that is not in its shortest form')
    }

    return n
  }

  #longArgument(major: number, info: number): number {
    if (info > 27) {
      throw this.#malformed(unknown(info))
    }

    const size = 1 << (info - 24)
    const start = this.#advance(size)
    let argument = 0

    for (let i = start; i < this.#at; i++) {
      argument = argument * 256 + (this.#bytes[i] as number)
    }

    if (headSize(argument) <= size) {
      throw this.#malformed('a head that takes more bytes than necessary')
    }

    if (!Number.isSafeInteger(major === MAJOR.negint ? -1 - argument : argument)) {
      throw this.#malformed('a number that is beyond the safe integer range')
    }

    return argument
  }

  #expect(major: number, what: string): void {
    const found = this.head()

    if (found !== major) {
      throw this.#unexpected(found, what)
    }
  }

  #isASCII(end: number): boolean {
    for (let i = this.#at; i < end; i++) {
      if ((this.#bytes[i] as number) > 0x7f) {
        return false
      }
    }

    return true
  }

  /** Passes over so many bytes and says where they begin. */
  #advance(count: number): number {
    const start = this.#at

    if (count > this.#bytes.length - start) {
      throw this.#malformed('not enough data')
    }

    this.#at = start + count
    return start
  }

  #unexpected(major: number, what: string): MalformedRecordError {
    const kind = major === MAJOR.simple ? nameOf(SIMPLE, this.#argument) : nameOf(MAJOR, major)
    return new MalformedRecordError(`expected ${what}, found ${kind ?? 'a simple value'}`)
  }

  #malformed(fault: string): MalformedRecordError {
    return new MalformedRecordError(`at byte ${this.#item - this.#start}: ${fault}`)
  }
}

/** A Buffer's slice is a view, and its views are Buffers: what is read from one shall be neither. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function nameOf(kinds: Record<string, number>, number: number): string | undefined {
  return Object.keys(kinds).find((name) => kinds[name] === number)
}

/** What is wrong with the five bits that follow a major type. */
function unknown(info: number): string {
  if (info > SIMPLE.float64) {
    return info === INDEFINITE ? 'indefinite lengths are not allowed' : `invalid minor ${info}`
  }

  return info === SIMPLE.undefined ? 'undefined is not allowed' : 'simple values are not allowed'
}
