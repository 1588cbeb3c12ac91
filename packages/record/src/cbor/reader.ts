import { MalformedRecordError } from '../errors.ts'
import { type FloatSize, floatAt, floatSize } from './float.ts'
import {
  bigIntOf,
  headSize,
  is64Bit,
  isInteger,
  MAJOR,
  SIMPLE,
  TAG_NEGATIVE_BIGINT,
  TAG_POSITIVE_BIGINT
} from './format.ts'

/** The argument of items of indefinite length, and of the break that ends them. */
const INDEFINITE = 31

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes up to which a text is checked for ASCII byte by byte, which is faster: most texts are short. */
const SHORT_TEXT_BYTES = 128

/**
 * Reads CBOR item by item and refuses anything that is not in canonical form (R10). It keeps nothing
 * of what it skips, so that no input makes it take more memory than the input itself.
 *
 * Reading an item takes two steps: {@link head}, then the method that reads the content of its type.
 */
export class CanonicalReader {
  readonly #bytes: Uint8Array
  readonly #start: number
  #at: number

  /** Where the last head is. */
  #item = 0

  /** The last head's argument. */
  #argument = 0

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = plainBytes(bytes)
    this.#start = start
    this.#at = start
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#at - this.#start
  }

  /** The argument of the last head: a count of bytes, items or pairs, a tag, or the number itself. */
  get argument(): number {
    return this.#argument
  }

  /** The bytes from a position to the current one: a view, not a copy. */
  since(position: number): Uint8Array {
    return this.#bytes.subarray(this.#start + position, this.#at)
  }

  /** Refuses bytes after the end. */
  end(): void {
    const left = this.#bytes.length - this.#at

    if (left > 0) {
      throw new MalformedRecordError(`${left} bytes after the end`)
    }
  }

  /** Reads the head of an item and returns its major type. */
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

  /** Reads the head of a map and returns the number of its pairs. */
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

  /** After the head of a byte string: skips its bytes. */
  skipBytes(): void {
    this.#advance(this.#argument)
  }

  /** After the head of a string: checks its text and skips it. */
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
        throw this.#malformed(unsupported(this.#argument))
    }
  }

  /** After the head of a tag: the bigint. No other tags are allowed. */
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
      throw this.#malformed('a number is not in its shortest form')
    }

    return n
  }

  #longArgument(major: number, info: number): number {
    if (info > 27) {
      throw this.#malformed(unsupported(info))
    }

    const size = 1 << (info - 24)
    const start = this.#advance(size)
    let argument = 0

    for (let i = start; i < this.#at; i++) {
      argument = argument * 256 + (this.#bytes[i] as number)
    }

    if (headSize(argument) <= size) {
      throw this.#malformed('a head takes more bytes than necessary')
    }

    if (!Number.isSafeInteger(major === MAJOR.negint ? -1 - argument : argument)) {
      throw this.#malformed('a number is beyond the safe integer range')
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

  /** Skips this many bytes and returns where they begin. */
  #advance(count: number): number {
    const start = this.#at

    if (count > this.#bytes.length - start) {
      throw this.#malformed('not enough data')
    }

    this.#at = start + count
    return start
  }

  #unexpected(major: number, what: string): MalformedRecordError {
    const type = major === MAJOR.simple ? typeName(SIMPLE, this.#argument) : typeName(MAJOR, major)
    return new MalformedRecordError(`expected ${what}, found ${type ?? 'a simple value'}`)
  }

  #malformed(fault: string): MalformedRecordError {
    return new MalformedRecordError(`at byte ${this.#item - this.#start}: ${fault}`)
  }
}

/** Views a Buffer as plain bytes: a slice of a Buffer is a view, and a view of one is a Buffer. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function typeName(types: Record<string, number>, number: number): string | undefined {
  return Object.keys(types).find((name) => types[name] === number)
}

/** Describes the fault in the five bits that follow a major type. */
function unsupported(info: number): string {
  if (info > SIMPLE.float64) {
    return info === INDEFINITE ? 'indefinite lengths are not allowed' : `invalid minor ${info}`
  }

  return info === SIMPLE.undefined ? 'undefined is not allowed' : 'simple values are not allowed'
}
