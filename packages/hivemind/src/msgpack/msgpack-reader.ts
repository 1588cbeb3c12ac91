import { textOf } from '../bytes/latin1.ts'
import { MalformedBytesError } from '../errors.ts'
import { DICTIONARY_TYPE, MAX_DEPTH, MAX_OBJECTS, TIMESTAMP_TYPE, TUPLE_TYPE } from './limits.ts'
import { Float, type HivemindValue, tupleOf } from './python-types.ts'

/** Options for reading values. */
export interface DecodeOptions {
  /**
   * Reads each Python float as a {@link Float}, so that the value can be stored again unchanged. Otherwise floats
   * are numbers, and 1.0 and 1 are the same.
   *
   * @default false
   */
  readonly exactFloats?: boolean | undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes a value as Python's serializer does, and refuses what that refuses: trailing bytes, text that is not
 * UTF-8, maps whose keys are neither strings nor bytes.
 *
 * @throws MalformedBytesError
 */
export function decodeValue(bytes: Uint8Array, options: DecodeOptions = {}): HivemindValue {
  const reader = new MsgpackReader(bytes, options)
  const value = reader.value()
  reader.assertEnd()
  return value
}

/** Reads MessagePack piece by piece. */
export class MsgpackReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #options: DecodeOptions
  readonly #outer: MsgpackReader | undefined
  readonly #depth: number
  #position = 0

  /** Objects in the current value so far. */
  #objects = 0

  /** @param outer - the reader of the value that these bytes are a part of, at a depth in it */
  constructor(
    bytes: Uint8Array,
    options: DecodeOptions = {},
    { outer, depth = 0 }: { outer?: MsgpackReader; depth?: number } = {}
  ) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#options = options
    this.#outer = outer
    this.#depth = depth
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position
  }

  assertEnd(): void {
    if (this.#position !== this.#bytes.length) {
      throw new MalformedBytesError(
        `${this.#bytes.length - this.#position} bytes follow the value, which ends at ${this.#position}`
      )
    }
  }

  /** Reads the head of an array and returns the number of its items. */
  arrayHead(): number {
    const first = this.#byte()

    if (first >= 0x90 && first <= 0x9f) {
      return first & 0x0f
    }

    if (first === 0xdc || first === 0xdd) {
      return this.#uint(first === 0xdc ? 2 : 4)
    }

    throw new MalformedBytesError(`0x${first.toString(16)} does not begin an array`)
  }

  /** Reads an extension of a given type and returns its data. */
  extension(type: number): Uint8Array {
    const [found, data] = this.#extension(this.#byte())

    if (found !== type) {
      throw new MalformedBytesError(`an extension of type ${found} is not one of type ${type}`)
    }

    return data
  }

  /** Reads a value. */
  value(): HivemindValue {
    this.#objects = 0
    return this.#value(this.#depth)
  }

  #value(depth: number): HivemindValue {
    const first = this.#byte()

    if (first < 0x80) {
      return first
    }

    if (first >= 0xe0) {
      return first - 0x100
    }

    if (first < 0xc0) {
      this.#countObject()
      return this.#short(first, depth)
    }

    return this.#long(first, depth)
  }

  /** Reads a value whose first byte holds its length. */
  #short(first: number, depth: number): HivemindValue {
    if (first < 0x90) {
      return this.#map(first & 0x0f, depth)
    }

    return first < 0xa0 ? this.#array(first & 0x0f, depth) : this.#string(first & 0x1f)
  }

  #long(first: number, depth: number): HivemindValue {
    switch (first) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
    }

    if (first >= 0xca && first <= 0xd3) {
      return this.#number(first)
    }

    this.#countObject()

    switch (first) {
      case 0xc4:
      case 0xc5:
      case 0xc6:
        // A copy, because a view would keep the whole message in memory.
        return this.#take(this.#uint(sizeOf(first - 0xc4))).slice()
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#string(this.#uint(sizeOf(first - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(sizeOf(first - 0xdb)), depth)
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(sizeOf(first - 0xdd)), depth)
      default:
        return this.#extended(this.#extension(first), depth)
    }
  }

  #number(first: number): HivemindValue {
    const view = this.#view
    const size = first < 0xcc ? 4 * (first - 0xc9) : 2 ** ((first - 0xcc) % 4)
    const at = this.#advance(size)

    switch (first) {
      case 0xca:
        return this.#float(view.getFloat32(at))
      case 0xcb:
        return this.#float(view.getFloat64(at))
      case 0xcf:
        return integer(view.getBigUint64(at))
      case 0xd3:
        return integer(view.getBigInt64(at))
      case 0xd0:
        return view.getInt8(at)
      case 0xd1:
        return view.getInt16(at)
      case 0xd2:
        return view.getInt32(at)
      default:
        return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at)
    }
  }

  #float(value: number): number | Float {
    return this.#options.exactFloats === true ? new Float(value) : value
  }

  #string(length: number): string {
    try {
      return utf8.decode(this.#take(length))
    } catch (cause) {
      throw cause instanceof MalformedBytesError
        ? cause
        : new MalformedBytesError('a string is not UTF-8', { cause })
    }
  }

  #array(length: number, depth: number): HivemindValue[] {
    assertDepth(depth)
    const items: HivemindValue[] = []

    for (let i = 0; i < length; i++) {
      items.push(this.#value(depth + 1))
    }

    return items
  }

  #map(size: number, depth: number): HivemindValue {
    assertDepth(depth)
    const map = new Map<string | Uint8Array, HivemindValue>()
    const bytesKeys = new Map<string, Uint8Array>()

    for (let i = 0; i < size; i++) {
      const key = this.#mapKey(bytesKeys, depth + 1)
      map.set(key, this.#value(depth + 1))
    }

    // Unlike an assignment, this makes __proto__ a property like any other.
    return bytesKeys.size === 0
      ? (Object.fromEntries(map) as { [name: string]: HivemindValue })
      : map
  }

  /** Reads a map's key. The last of several equal keys counts, as in Python, so equal bytes must be one object. */
  #mapKey(bytesKeys: Map<string, Uint8Array>, depth: number): string | Uint8Array {
    const key = this.#value(depth)

    if (key instanceof Uint8Array) {
      const text = textOf(key)
      const known = bytesKeys.get(text) ?? key
      bytesKeys.set(text, known)
      return known
    }

    if (typeof key !== 'string') {
      throw new MalformedBytesError('a key of a map is neither a string nor bytes')
    }

    return key
  }

  #extension(first: number): [type: number, data: Uint8Array] {
    const length = this.#extensionLength(first)
    const type = this.#byte()
    return [type, this.#take(length)]
  }

  #extensionLength(first: number): number {
    if (first >= 0xd4 && first <= 0xd8) {
      return 2 ** (first - 0xd4)
    }

    if (first >= 0xc7 && first <= 0xc9) {
      return this.#uint(sizeOf(first - 0xc7))
    }

    throw new MalformedBytesError(`0x${first.toString(16)} begins no value`)
  }

  /** Reads an unknown extension as its bare bytes, as Python does. */
  #extended([type, data]: [type: number, data: Uint8Array], depth: number): HivemindValue {
    if (type === DICTIONARY_TYPE || type === TIMESTAMP_TYPE) {
      throw new MalformedBytesError(`an extension of type ${type} is not a value`)
    }

    if (type !== TUPLE_TYPE) {
      return data.slice()
    }

    assertDepth(depth)
    const inside = new MsgpackReader(data, this.#options, { outer: this, depth: depth + 1 })
    const items = inside.#array(inside.arrayHead(), depth)
    inside.assertEnd()
    return tupleOf(items)
  }

  #countObject(): void {
    if (this.#outer !== undefined) {
      this.#outer.#countObject()
    } else if (++this.#objects > MAX_OBJECTS) {
      throw new MalformedBytesError(`a value is made of more than ${MAX_OBJECTS} objects`)
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#position]

    if (byte === undefined) {
      throw new MalformedBytesError('a value is cut short')
    }

    this.#position++
    return byte
  }

  #uint(size: 1 | 2 | 4): number {
    const at = this.#advance(size)
    const view = this.#view
    return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at)
  }

  #take(length: number): Uint8Array {
    const at = this.#advance(length)
    return this.#bytes.subarray(at, at + length)
  }

  #advance(length: number): number {
    const at = this.#position

    if (at + length > this.#bytes.length) {
      throw new MalformedBytesError('a value is cut short')
    }

    this.#position += length
    return at
  }
}

/** Bytes of the length in the first, second or third of three forms. */
function sizeOf(form: number): 1 | 2 | 4 {
  return form === 0 ? 1 : form === 1 ? 2 : 4
}

function integer(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function assertDepth(depth: number): void {
  if (depth >= MAX_DEPTH) {
    throw new MalformedBytesError(`values are nested deeper than ${MAX_DEPTH}`)
  }
}
