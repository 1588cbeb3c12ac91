import { encode, rfc8949EncodeOptions, Token, Tokenizer, Type } from 'cborg'
import { compare } from 'uint8arrays/compare'
import { equals } from 'uint8arrays/equals'
import { MAX_VALUE_DEPTH } from './constants.ts'
import { MalformedRecordError } from './errors.ts'

/** Tags of RFC 8949 §3.4.3: a bigint is always one of these, a number never. */
export const TAG_POSITIVE_BIGINT = 2
export const TAG_NEGATIVE_BIGINT = 3

const MAX_UINT64 = 2n ** 64n - 1n
const MIN_INT64 = -(2n ** 63n)

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowBigInt: false,
  retainStringBytes: true
}

const CANONICAL = {
  ...rfc8949EncodeOptions,
  typeEncoders: {
    bigint: (n: bigint) => [
      new Token(Type.tag, n < 0n ? TAG_NEGATIVE_BIGINT : TAG_POSITIVE_BIGINT),
      new Token(Type.bytes, magnitudeOf(n))
    ],
    number: (n: number) => (Object.is(n, -0) ? new Token(Type.float, n) : null)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type TokenType = (typeof Type)[keyof typeof Type]

/**
 * Reads CBOR one token at a time and refuses whatever is not the canonical form: the core
 * deterministic encoding of RFC 8949 §4.2.1, of the kinds that R11 lists, with bigints told from
 * numbers by their tag. It keeps nothing of what it passes over, so that no input makes it take
 * more memory than the input itself.
 *
 * It serves as cborg's tokenizer, too.
 */
export class CanonicalReader {
  readonly #bytes: Uint8Array
  readonly #tokens: Tokenizer

  constructor(bytes: Uint8Array) {
    // A Buffer's slice is a view: byte strings read from it would share its memory.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#tokens = new Tokenizer(this.#bytes, STRICT)
  }

  pos(): number {
    return this.#tokens.pos()
  }

  done(): boolean {
    return this.#tokens.done()
  }

  next(): Token {
    if (this.done()) {
      throw new MalformedRecordError(`the bytes end at ${this.pos()}, where a value is expected`)
    }

    const start = this.pos()
    const token = this.#token(start)

    if (is(token, Type.string)) {
      token.value = text(token)
    } else if (
      is(token, Type.float) &&
      !equals(encodeCanonical(token.value), this.#bytes.subarray(start, this.pos()))
    ) {
      throw new MalformedRecordError(`the number at ${start} is not in its shortest form`)
    }

    return token
  }

  #token(start: number): Token {
    try {
      return this.#tokens.next()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new MalformedRecordError(`at byte ${start}: ${reason}`, { cause })
    }
  }

  /** Reads the head of a map and says how many pairs follow. */
  mapHead(what: string): number {
    return this.#expect(Type.map, what)
  }

  /** Reads a number that is not a bigint. */
  number(what: string): number {
    const token = this.next()

    if (is(token, Type.uint) || is(token, Type.negint) || is(token, Type.float)) {
      return token.value
    }

    throw unexpected(token, what)
  }

  /** Reads an integer that is not negative. */
  uint(what: string): number {
    return this.#expect(Type.uint, what)
  }

  /** Reads a byte string. */
  byteString(what: string): Uint8Array {
    return this.#expect(Type.bytes, what)
  }

  /** Passes over one value, checking it whole, and gives its bytes: a view, not a copy. */
  value(): Uint8Array {
    const start = this.pos()
    this.#skip(0)
    return this.#bytes.subarray(start, this.pos())
  }

  // biome-ignore lint/suspicious/noExplicitAny: cborg's tokens carry untyped values
  #expect(type: TokenType, what: string): any {
    const token = this.next()

    if (!is(token, type)) {
      throw unexpected(token, what)
    }

    return token.value
  }

  #skip(depth: number): void {
    const token = this.next()
    const isNesting = is(token, Type.array) || is(token, Type.map)

    if (isNesting && depth >= MAX_VALUE_DEPTH) {
      throw new MalformedRecordError(`a value is nested deeper than ${MAX_VALUE_DEPTH}`)
    }

    if (is(token, Type.array)) {
      for (let i = 0; i < token.value; i++) {
        this.#skip(depth + 1)
      }
    } else if (is(token, Type.map)) {
      this.#skipPairs(token.value, depth)
    } else if (is(token, Type.tag)) {
      this.#skipBigInt(token.value)
    }
  }

  #skipPairs(count: number, depth: number): void {
    let previous: Uint8Array | undefined

    for (let i = 0; i < count; i++) {
      const start = this.pos()
      this.#expect(Type.string, 'the name of a property')
      const name = this.#bytes.subarray(start, this.pos())
      assertAscending(previous, name)
      previous = name
      this.#skip(depth + 1)
    }
  }

  #skipBigInt(tag: number): void {
    const start = this.pos()
    const magnitude = this.byteString('the bytes of a bigint')
    const isKnown = tag === TAG_POSITIVE_BIGINT || tag === TAG_NEGATIVE_BIGINT
    const isShortest = magnitude.length <= 8 && magnitude[0] !== 0

    if (!isKnown || !isShortest || !is64Bit(bigIntOf(tag, magnitude))) {
      throw new MalformedRecordError(`at byte ${start}: not a 64-bit bigint in its shortest form`)
    }
  }
}

/** Refuses names or subkeys that repeat or are out of order: bytewise, RFC 8949 §4.2.1. */
export function assertAscending(previous: Uint8Array | undefined, next: Uint8Array): void {
  if (previous !== undefined && compare(previous, next) >= 0) {
    throw new MalformedRecordError('names are repeated or out of order')
  }
}

/** Whether the bigint fits 64 bits, signed or unsigned. */
export function is64Bit(n: bigint): boolean {
  return n >= MIN_INT64 && n <= MAX_UINT64
}

/** The bigint that a tag and its bytes stand for. */
export function bigIntOf(tag: number, magnitude: Uint8Array): bigint {
  let n = 0n

  for (const byte of magnitude) {
    n = (n << 8n) | BigInt(byte)
  }

  return tag === TAG_NEGATIVE_BIGINT ? -1n - n : n
}

/** The one encoding of a value that {@link CanonicalReader} reads. Expects a storable value (R11). */
export function encodeCanonical(value: unknown): Uint8Array {
  // Copied because cborg may give a Buffer, or a view that keeps a far larger pool alive.
  return new Uint8Array(encode(value, CANONICAL))
}

/** The bytes of a bignum without leading zeros; the tag says the sign. */
export function magnitudeOf(n: bigint): Uint8Array {
  const bytes: number[] = []

  for (let rest = n < 0n ? -1n - n : n; rest > 0n; rest >>= 8n) {
    bytes.unshift(Number(rest & 0xffn))
  }

  return Uint8Array.from(bytes)
}

/** The head of a CBOR map with so many pairs. */
export function mapHead(pairs: number): Uint8Array {
  const majorType = 0xa0
  const head = encode(pairs)
  head[0] = (head[0] ?? 0) | majorType
  return head
}

/** cborg replaces what is not UTF-8 and swallows a leading byte order mark: neither is lossless. */
function text(token: Token): string {
  try {
    return utf8.decode(token.byteValue)
  } catch (cause) {
    throw new MalformedRecordError('a string is not UTF-8', { cause })
  }
}

function is(token: Token, type: TokenType): boolean {
  return token.type === type
}

function unexpected(token: Token, what: string): MalformedRecordError {
  return new MalformedRecordError(`expected ${what}, found ${token.type.name}`)
}
