import { compare } from 'uint8arrays/compare'
import { MAJOR } from '../cbor/format.ts'
import type { CanonicalReader } from '../cbor/reader.ts'
import { MalformedRecordError } from '../errors.ts'
import { type Key, MAX_VALUE_DEPTH, type Value } from './value.ts'

const PROPERTY = 'the name of a property'
const OUT_OF_ORDER = 'names are repeated or out of order'
const TOO_DEEP = `a value is nested deeper than ${MAX_VALUE_DEPTH}`
const NOT_A_NAME = 'a key or subkey holds an object or −0'

/** Checks one value in full and skips it, without building any of it. */
export function skipValue(from: CanonicalReader): void {
  skip(from, 0, false)
}

/** Checks one key or subkey in full and skips it: a value without objects and without −0 (R11). */
export function skipName(from: CanonicalReader): void {
  skip(from, 0, true)
}

/** Reads one value. */
export function readValue(from: CanonicalReader): Value {
  return read(from, 0, false)
}

/** Reads one key or subkey. */
export function readName(from: CanonicalReader): Key {
  return read(from, 0, true) as Key
}

/** Checks and skips one item. An integer ends with its head. */
function skip(from: CanonicalReader, depth: number, isName: boolean): void {
  switch (from.head()) {
    case MAJOR.bytes:
      from.skipBytes()
      break
    case MAJOR.string:
      from.skipText()
      break
    case MAJOR.array:
      skipItems(from, depth, isName)
      break
    case MAJOR.map:
      assertThat(!isName, NOT_A_NAME)
      skipPairs(from, depth)
      break
    case MAJOR.tag:
      from.bigInt()
      break
    case MAJOR.simple:
      simple(from, isName)
  }
}

function skipItems(from: CanonicalReader, depth: number, isName: boolean): void {
  assertNestable(depth)

  for (let left = from.argument; left > 0; left--) {
    skip(from, depth + 1, isName)
  }
}

function skipPairs(from: CanonicalReader, depth: number): void {
  assertNestable(depth)
  let previous: Uint8Array | undefined

  for (let left = from.argument; left > 0; left--) {
    const start = from.position
    from.stringHead(PROPERTY)
    from.skipText()
    previous = nextName(previous, from.since(start))
    skip(from, depth + 1, false)
  }
}

function read(from: CanonicalReader, depth: number, isName: boolean): Value {
  switch (from.head()) {
    case MAJOR.uint:
      return from.argument
    case MAJOR.negint:
      return -1 - from.argument
    case MAJOR.bytes:
      return from.bytes().slice()
    case MAJOR.string:
      return from.text()
    case MAJOR.array:
      return readItems(from, depth, isName)
    case MAJOR.map:
      assertThat(!isName, NOT_A_NAME)
      return readPairs(from, depth)
    case MAJOR.tag:
      return from.bigInt()
    default:
      return simple(from, isName)
  }
}

function readItems(from: CanonicalReader, depth: number, isName: boolean): Value[] {
  assertNestable(depth)
  const items: Value[] = []

  for (let left = from.argument; left > 0; left--) {
    items.push(read(from, depth + 1, isName))
  }

  return items
}

function readPairs(from: CanonicalReader, depth: number): { [name: string]: Value } {
  assertNestable(depth)
  const pairs: [string, Value][] = []
  let previous: Uint8Array | undefined

  for (let left = from.argument; left > 0; left--) {
    const start = from.position
    from.stringHead(PROPERTY)
    const name = from.text()
    previous = nextName(previous, from.since(start))
    pairs.push([name, read(from, depth + 1, false)])
  }

  // Unlike an assignment, this makes __proto__ a property like any other.
  return Object.fromEntries(pairs)
}

function simple(from: CanonicalReader, isName: boolean): boolean | null | number {
  const value = from.simple()
  assertThat(!isName || !Object.is(value, -0), NOT_A_NAME)
  return value
}

function assertNestable(depth: number): void {
  assertThat(depth < MAX_VALUE_DEPTH, TOO_DEEP)
}

/** Returns the next name and refuses one that does not follow the previous one bytewise (RFC 8949 §4.2.1). */
function nextName(previous: Uint8Array | undefined, next: Uint8Array): Uint8Array {
  assertThat(previous === undefined || compare(previous, next) < 0, OUT_OF_ORDER)
  return next
}

function assertThat(isTrue: boolean, otherwise: string): void {
  if (!isTrue) {
    throw new MalformedRecordError(otherwise)
  }
}
