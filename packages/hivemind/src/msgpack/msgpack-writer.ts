import { ByteWriter } from '../bytes/byte-writer.ts'
import { MAX_DEPTH, TUPLE_TYPE } from './limits.ts'
import { Float, Tuple } from './python-types.ts'

const utf8 = new TextEncoder()

/** The steps that lead to a value, for error messages. */
type Path = readonly (number | string)[]

/** Largest sizes of MessagePack's forms, in ascending order. */
const FORMS = [
  [0xff, 1],
  [0xffff, 2],
  [0xffffffff, 4]
] as const

/** First bytes of the forms with a length of 1, 2 and 4 bytes; 0 for a form that does not exist. */
const STR = [0xd9, 0xda, 0xdb]
const BIN = [0xc4, 0xc5, 0xc6]
const EXT = [0xc7, 0xc8, 0xc9]
const ARRAY = [0, 0xdc, 0xdd]
const MAP = [0, 0xde, 0xdf]

const UINT64_END = 2n ** 64n
const INT64_START = -(2n ** 63n)

/**
 * Writes MessagePack as Python's serializer does, byte for byte: integers in their shortest form,
 * floats always as 64 bits, tuples as an extension.
 */
export class MsgpackWriter {
  readonly #to = new ByteWriter()

  finish(): Uint8Array {
    return this.#to.finish()
  }

  nil(): void {
    this.#to.byte(0xc0)
  }

  boolean(value: boolean): void {
    this.#to.byte(value ? 0xc3 : 0xc2)
  }

  float(value: number): void {
    this.#to.byte(0xcb)
    this.#to.float64(value)
  }

  /** Writes a safe integer. */
  integer(value: number): void {
    if (value >= -32 && value < 128) {
      this.#to.byte(value & 0xff)
    } else if (value > 0xffffffff || value < -0x80000000) {
      this.#int64(BigInt(value))
    } else if (value >= 0) {
      const size = this.#form(value, [0xcc, 0xcd, 0xce])
      this.#to.uint(value, size)
    } else {
      this.#negative(value)
    }
  }

  bigint(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) {
      this.integer(Number(value))
    } else if (value >= 0n && value <= 0xffffffffn) {
      this.integer(Number(value))
    } else {
      this.#int64(value)
    }
  }

  string(value: string): void {
    const bytes = utf8.encode(value)

    if (bytes.length < 32) {
      this.#to.byte(0xa0 | bytes.length)
    } else {
      this.#head(bytes.length, STR)
    }

    this.#to.bytes(bytes)
  }

  bin(value: Uint8Array): void {
    this.#head(value.length, BIN)
    this.#to.bytes(value)
  }

  arrayHead(length: number): void {
    if (length < 16) {
      this.#to.byte(0x90 | length)
    } else {
      this.#head(length, ARRAY)
    }
  }

  mapHead(size: number): void {
    if (size < 16) {
      this.#to.byte(0x80 | size)
    } else {
      this.#head(size, MAP)
    }
  }

  extension(type: number, data: Uint8Array): void {
    const fixed = [1, 2, 4, 8, 16].indexOf(data.length)

    if (fixed >= 0) {
      this.#to.byte(0xd4 + fixed)
    } else {
      this.#head(data.length, EXT)
    }

    this.#to.byte(type)
    this.#to.bytes(data)
  }

  /** Appends MessagePack that is already encoded. */
  written(bytes: Uint8Array): void {
    this.#to.bytes(bytes)
  }

  #negative(value: number): void {
    if (value >= -0x80) {
      this.#to.byte(0xd0)
      this.#to.uint(value, 1)
    } else if (value >= -0x8000) {
      this.#to.byte(0xd1)
      this.#to.uint(value, 2)
    } else {
      this.#to.byte(0xd2)
      this.#to.uint(value, 4)
    }
  }

  #int64(value: bigint): void {
    this.#to.byte(value < 0n ? 0xd3 : 0xcf)
    this.#to.int64(value)
  }

  #head(length: number, firstBytes: readonly number[]): void {
    const size = this.#form(length, firstBytes)
    this.#to.uint(length, size)
  }

  /** Writes the first byte of the shortest form that can hold a number, and returns how many bytes follow. */
  #form(value: number, firstBytes: readonly number[]): 1 | 2 | 4 {
    const index = FORMS.findIndex(([most], i) => value <= most && firstBytes[i] !== 0)
    const form = FORMS[index]

    if (form === undefined) {
      throw new TypeError(`MessagePack has no room for ${value} bytes or items`)
    }

    this.#to.byte(firstBytes[index] as number)
    return form[1]
  }
}

/**
 * Encodes a value.
 *
 * @throws TypeError naming the path to a value that Python could not read
 */
export function encodeValue(value: unknown, name = 'value'): Uint8Array {
  const to = new MsgpackWriter()
  write(to, value, [name])
  return to.finish()
}

function write(to: MsgpackWriter, value: unknown, path: Path): void {
  switch (typeof value) {
    case 'boolean':
      to.boolean(value)
      break
    case 'number':
      writeNumber(to, value)
      break
    case 'bigint':
      writeBigInt(to, value, path)
      break
    case 'string':
      writeString(to, value, path)
      break
    case 'object':
      writeObject(to, value, path)
      break
    default:
      refuse(path, `is ${value === undefined ? 'undefined' : `a ${typeof value}`}`)
  }
}

/**
 * Writes a number. Integers that JavaScript represents exactly are Python's ints; all other numbers are floats, −0
 * included.
 */
function writeNumber(to: MsgpackWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    to.integer(value)
  } else {
    to.float(value)
  }
}

function writeBigInt(to: MsgpackWriter, value: bigint, path: Path): void {
  if (value < INT64_START || value >= UINT64_END) {
    refuse(path, `is ${value}, which does not fit 64 bits`)
  }

  to.bigint(value)
}

function writeString(to: MsgpackWriter, value: string, path: Path): void {
  if (!value.isWellFormed()) {
    refuse(path, 'is a string with half a surrogate pair')
  }

  to.string(value)
}

function writeObject(to: MsgpackWriter, value: object | null, path: Path): void {
  if (value === null) {
    to.nil()
  } else if (value instanceof Float) {
    to.float(value.value)
  } else if (value instanceof Uint8Array) {
    to.bin(value)
  } else if (path.length > MAX_DEPTH) {
    refuse(path, `is nested deeper than ${MAX_DEPTH}, or contains itself`)
  } else if (value instanceof Tuple) {
    writeTuple(to, value, path)
  } else if (Array.isArray(value)) {
    writeItems(to, value, path)
  } else {
    writeMap(to, entriesOf(value, path), path)
  }
}

function writeItems(to: MsgpackWriter, items: readonly unknown[], path: Path): void {
  to.arrayHead(items.length)

  for (let i = 0; i < items.length; i++) {
    write(to, items[i], [...path, i])
  }
}

function writeTuple(to: MsgpackWriter, items: readonly unknown[], path: Path): void {
  const inside = new MsgpackWriter()
  writeItems(inside, items, path)
  to.extension(TUPLE_TYPE, inside.finish())
}

function writeMap(
  to: MsgpackWriter,
  entries: readonly (readonly [unknown, unknown])[],
  path: Path
): void {
  to.mapHead(entries.length)

  for (const [key, value] of entries) {
    if (typeof key === 'string') {
      writeString(to, key, [...path, key])
    } else if (key instanceof Uint8Array) {
      to.bin(key)
    } else {
      refuse(path, `has a ${typeof key} as a key of a map: Python reads strings and bytes only`)
    }

    write(to, value, [...path, String(key)])
  }
}

function entriesOf(value: object, path: Path): readonly (readonly [unknown, unknown])[] {
  if (value instanceof Map) {
    return [...value]
  }

  const prototype = Object.getPrototypeOf(value)

  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    refuse(path, `is of class ${prototype.constructor?.name ?? 'unknown'}`)
  }

  return Object.entries(value)
}

function refuse([name, ...steps]: Path, fault: string): never {
  const path = steps.map((step) => `[${JSON.stringify(step)}]`).join('')
  throw new TypeError(
    `${name}${path} ${fault}: null, booleans, numbers, 64-bit bigints, float(), strings, Uint8Array, arrays, tuple(), plain objects and Maps can be stored`
  )
}
