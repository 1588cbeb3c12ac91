import { ByteWriter } from '../bytes/byte-writer.ts'
import { MalformedBytesError } from '../errors.ts'

/** Wire types (Protocol Buffers, "Message Structure"). */
const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

const MAX_VARINT_BYTES = 10

/** Fields of one message on one level, and numbers of a packed field: reading them takes some milliseconds. */
export const MAX_FIELDS = 65_536

/** Writes fields in the order of the calls. Python writes them by their numbers. */
export class ProtobufWriter {
  readonly #to = new ByteWriter()

  finish(): Uint8Array {
    return this.#to.finish()
  }

  /** Writes bytes, even if empty. */
  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, DELIMITED)
    this.#to.varint(value.length)
    this.#to.bytes(value)
    return this
  }

  allBytes(field: number, values: readonly Uint8Array[]): this {
    for (const value of values) {
      this.bytes(field, value)
    }

    return this
  }

  /** Writes bytes, unless empty. */
  someBytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.bytes(field, value)
  }

  /** Writes a number below 2³², unless it is zero. */
  uint(field: number, value: number): this {
    if (value !== 0) {
      this.#tag(field, VARINT)
      this.#to.varint(value)
    }

    return this
  }

  /** Writes a float, unless it is +0. */
  double(field: number, value: number): this {
    if (!Object.is(value, 0)) {
      this.#tag(field, FIXED64)
      this.#to.float64(value, true)
    }

    return this
  }

  packedDoubles(field: number, values: readonly number[]): this {
    const packed = new ByteWriter()

    for (const value of values) {
      packed.float64(value, true)
    }

    return this.someBytes(field, packed.finish())
  }

  packedBooleans(field: number, values: readonly boolean[]): this {
    return this.someBytes(field, Uint8Array.from(values, Number))
  }

  #tag(field: number, type: number): void {
    this.#to.varint((field << 3) | type)
  }
}

/** A decoded field. Numbers of fixed size are views of their bytes. */
interface Field {
  readonly value: number | Uint8Array

  /** Whether the value is an eight-byte number. */
  readonly isFixed64: boolean
}

/** The fields of a message by their numbers, known and unknown. */
export class ProtobufReader {
  readonly #fields = new Map<number, Field[]>()

  /** @throws MalformedBytesError, also for more fields than allowed */
  constructor(bytes: Uint8Array, maxFields: number = MAX_FIELDS) {
    const from = new Cursor(bytes)

    for (let count = 0; !from.isAtEnd; count++) {
      assertCount(count, maxFields)
      const tag = from.varint()
      const type = tag % 8
      const field = { value: from.valueOf(type), isFixed64: type === FIXED64 }
      const number = Math.floor(tag / 8)
      const known = this.#fields.get(number)

      if (known === undefined) {
        this.#fields.set(number, [field])
      } else {
        known.push(field)
      }
    }
  }

  /** The bytes of a repeated field. */
  allBytes(number: number): Uint8Array[] {
    return this.#all(number).map(({ value }) => {
      if (typeof value === 'number') {
        throw new MalformedBytesError(`field ${number} is a number`)
      }

      return value
    })
  }

  /** The bytes of a field that occurs once. The last of several counts. */
  bytes(number: number): Uint8Array | undefined {
    return this.allBytes(number).at(-1)
  }

  /** A number; zero if the field is absent. */
  uint(number: number): number {
    return Number(this.#all(number).at(-1)?.value ?? 0)
  }

  /** A float; zero if the field is absent. */
  double(number: number): number {
    return this.doubles(number).at(-1) ?? 0
  }

  /** The floats of a repeated field, packed or not. */
  doubles(number: number): number[] {
    return this.allBytes(number).flatMap((bytes) => doublesIn(bytes))
  }

  /** The booleans of a repeated field, packed or not. */
  booleans(number: number): boolean[] {
    return this.#all(number).flatMap(({ value, isFixed64 }) => {
      if (isFixed64) {
        throw new MalformedBytesError(`field ${number} is not of booleans`)
      }

      return typeof value === 'number' ? [value !== 0] : booleansIn(value)
    })
  }

  #all(number: number): readonly Field[] {
    return this.#fields.get(number) ?? []
  }
}

function doublesIn(bytes: Uint8Array): number[] {
  if (bytes.length % 8 !== 0) {
    throw new MalformedBytesError('floats are cut short')
  }

  assertCount(bytes.length / 8 - 1, MAX_FIELDS)

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true))
}

function booleansIn(bytes: Uint8Array): boolean[] {
  const from = new Cursor(bytes)
  const booleans: boolean[] = []

  while (!from.isAtEnd) {
    assertCount(booleans.length, MAX_FIELDS)
    booleans.push(from.varint() !== 0)
  }

  return booleans
}

/** Checks the number of fields before another one. */
function assertCount(count: number, maxCount: number): void {
  if (count >= maxCount) {
    throw new MalformedBytesError(`a message has more than ${maxCount} fields`)
  }
}

/** Reads an integer that begins a message; undefined while it is incomplete. */
export function leadingVarint(
  bytes: Uint8Array
): { readonly value: number; readonly size: number } | undefined {
  const from = new Cursor(bytes)
  const hasEnd = bytes.subarray(0, MAX_VARINT_BYTES).some((byte) => byte < 0x80)

  if (!hasEnd && bytes.length < MAX_VARINT_BYTES) {
    return undefined
  }

  return { value: from.varint(), size: from.position }
}

class Cursor {
  readonly #bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.position >= this.#bytes.length
  }

  /** Reads a number. Beyond JavaScript's safe integers it loses its last digits, which no field needs. */
  varint(): number {
    let value = 0

    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#bytes[this.position]

      if (byte === undefined) {
        break
      }

      this.position++
      value += (byte & 0x7f) * 2 ** (7 * i)

      if (byte < 0x80) {
        return value
      }
    }

    throw new MalformedBytesError('a number is cut short, or too long')
  }

  valueOf(type: number): number | Uint8Array {
    switch (type) {
      case VARINT:
        return this.varint()
      case FIXED64:
        return this.#take(8)
      case DELIMITED:
        return this.#take(this.varint())
      case FIXED32:
        return this.#take(4)
      default:
        throw new MalformedBytesError(`a field is of type ${type}`)
    }
  }

  #take(length: number): Uint8Array {
    const end = this.position + length

    if (end > this.#bytes.length) {
      throw new MalformedBytesError('a field is cut short')
    }

    const taken = this.#bytes.subarray(this.position, end)
    this.position = end
    return taken
  }
}
