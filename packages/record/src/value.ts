import { decode } from 'cborg'
import {
  bigIntOf,
  CanonicalReader,
  encodeCanonical,
  is64Bit,
  TAG_NEGATIVE_BIGINT,
  TAG_POSITIVE_BIGINT
} from './cbor.ts'
import { DEFAULT_LIMITS, MAX_VALUE_DEPTH } from './constants.ts'
import { MalformedRecordError, RecordTooLargeError } from './errors.ts'
import type { Key, Limits, Value } from './interface.ts'

/**
 * The canonical bytes of a value (R10): equal values have equal bytes, and what is decoded equals
 * what was encoded. Integers and floats, bytes and strings, bigints and numbers stay what they are.
 *
 * @throws TypeError naming the path to what can't be stored (R11)
 * @throws RecordTooLargeError beyond `limits.maxValueBytes`
 */
export function encodeValue(value: Value, limits: Limits = DEFAULT_LIMITS): Uint8Array {
  assertStorable(value, { path: 'value', parents: [], isObjectAllowed: true })
  const bytes = encodeCanonical(value)

  if (bytes.length > limits.maxValueBytes) {
    throw new RecordTooLargeError(
      `the value takes ${bytes.length} bytes encoded, at most ${limits.maxValueBytes} are allowed`
    )
  }

  return bytes
}

/**
 * The canonical bytes of a key or subkey. −0 is the key 0, as in a Map.
 *
 * @throws TypeError naming the path to what can't be in a key (R11)
 */
export function encodeName(name: Key, what: 'key' | 'subkey'): Uint8Array {
  assertStorable(name, { path: what, parents: [], isObjectAllowed: false })
  return encodeCanonical(withoutNegativeZero(name))
}

/**
 * Reads canonical bytes back into the value.
 *
 * @throws MalformedRecordError for any other bytes
 */
export function decodeValue(bytes: Uint8Array): Value {
  assertCanonical(bytes)
  return decode(bytes, {
    tokenizer: new CanonicalReader(bytes),
    tags: {
      [TAG_POSITIVE_BIGINT]: (content) => bigIntOf(TAG_POSITIVE_BIGINT, content() as Uint8Array),
      [TAG_NEGATIVE_BIGINT]: (content) => bigIntOf(TAG_NEGATIVE_BIGINT, content() as Uint8Array)
    }
  })
}

/**
 * Reads the canonical bytes of a key or subkey.
 *
 * @throws MalformedRecordError for any other bytes
 */
export function decodeName(bytes: Uint8Array): Key {
  const name = decodeValue(bytes)

  if (!isName(name)) {
    throw new MalformedRecordError('a key or subkey holds an object or −0')
  }

  return name
}

function assertCanonical(bytes: Uint8Array): void {
  const reader = new CanonicalReader(bytes)
  reader.value()

  if (!reader.done()) {
    throw new MalformedRecordError(`${bytes.length - reader.pos()} bytes after the end`)
  }
}

function isName(value: Value): value is Key {
  if (Array.isArray(value)) {
    return value.every(isName)
  }

  return (
    !Object.is(value, -0) &&
    (value === null || typeof value !== 'object' || value instanceof Uint8Array)
  )
}

function withoutNegativeZero(name: Key): Key {
  if (Array.isArray(name)) {
    return name.map(withoutNegativeZero)
  }

  return name === 0 ? 0 : name
}

interface Place {
  readonly path: string
  readonly parents: readonly object[]
  readonly isObjectAllowed: boolean
}

function assertStorable(value: unknown, place: Place): void {
  switch (typeof value) {
    case 'boolean':
      break
    case 'number':
      assertThat(!Number.isNaN(value), place, 'is NaN')
      break
    case 'bigint':
      assertThat(is64Bit(value), place, `is ${value}, which does not fit 64 bits`)
      break
    case 'string':
      assertThat(value.isWellFormed(), place, 'is a string with half a surrogate pair')
      break
    case 'object':
      assertStorableObject(value, place)
      break
    default:
      refuse(place, `is ${value === undefined ? 'undefined' : `a ${typeof value}`}`)
  }
}

function assertStorableObject(value: object | null, place: Place): void {
  if (value === null || value instanceof Uint8Array) {
    return
  }

  assertThat(!place.parents.includes(value), place, 'contains itself')
  assertThat(
    place.parents.length < MAX_VALUE_DEPTH,
    place,
    `is nested deeper than ${MAX_VALUE_DEPTH}`
  )
  const parents = [...place.parents, value]

  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      assertStorable(value[i], { ...place, parents, path: `${place.path}[${i}]` })
    }
    return
  }

  assertPlainObject(value, place)

  for (const [name, property] of Object.entries(value)) {
    const path = `${place.path}${propertyPath(name)}`
    assertThat(name.isWellFormed(), { ...place, path }, 'has half a surrogate pair in its name')
    assertStorable(property, { ...place, parents, path })
  }
}

function assertPlainObject(value: object, place: Place): void {
  const prototype = Object.getPrototypeOf(value)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  const article = `is a ${prototype?.constructor?.name ?? 'object'}`

  assertThat(
    isPlain && Object.getOwnPropertySymbols(value).length === 0,
    place,
    isPlain ? 'has a symbol as a property' : article
  )
  assertThat(place.isObjectAllowed, place, 'is an object, which only values can be')
}

function propertyPath(name: string): string {
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name)
    ? `.${name}`
    : `[${JSON.stringify(name)}]`
}

function assertThat(isTrue: boolean, place: Place, otherwise: string): void {
  if (!isTrue) {
    refuse(place, otherwise)
  }
}

function refuse({ path, isObjectAllowed }: Place, fault: string): never {
  const objects = isObjectAllowed ? ', arrays and plain objects' : ' and arrays'
  throw new TypeError(
    `${path} ${fault}: null, booleans, numbers, 64-bit bigints, strings, Uint8Array${objects} can be stored`
  )
}
