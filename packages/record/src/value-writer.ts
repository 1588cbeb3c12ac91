import { compare } from 'uint8arrays/compare'
import { is64Bit, MAJOR, SIMPLE } from './cbor.ts'
import type { CanonicalWriter } from './cbor-writer.ts'
import { MAX_VALUE_DEPTH } from './constants.ts'

/** What is written: objects can be in values only. */
export type Role = 'value' | 'key' | 'subkey'

/** How far inside the writer is. It becomes a path only when there is something to complain about. */
interface Place {
  readonly role: Role

  /** The arrays and objects around it, and the index or name that leads further into each. */
  readonly parents: object[]
  readonly steps: (number | string)[]
}

const utf8 = new TextEncoder()

/**
 * Writes a value, or what names one. −0 is the key 0, as in a Map.
 *
 * @throws TypeError naming the path to what can't be stored (R11)
 */
export function writeValue(to: CanonicalWriter, value: unknown, role: Role): void {
  write(to, value, { role, parents: [], steps: [] })
}

function write(to: CanonicalWriter, value: unknown, place: Place): void {
  switch (typeof value) {
    case 'boolean':
      to.head(MAJOR.simple, value ? SIMPLE.true : SIMPLE.false)
      break
    case 'number':
      writeNumber(to, value, place)
      break
    case 'bigint':
      writeBigInt(to, value, place)
      break
    case 'string':
      assertThat(value.isWellFormed(), place, 'is a string with half a surrogate pair')
      to.text(value)
      break
    case 'object':
      writeObject(to, value, place)
      break
    default:
      refuse(place, `is ${value === undefined ? 'undefined' : `a ${typeof value}`}`)
  }
}

function writeNumber(to: CanonicalWriter, value: number, place: Place): void {
  assertThat(!Number.isNaN(value), place, 'is NaN')
  to.number(value === 0 && place.role !== 'value' ? 0 : value)
}

function writeBigInt(to: CanonicalWriter, value: bigint, place: Place): void {
  if (!is64Bit(value)) {
    refuse(place, `is ${value}, which does not fit 64 bits`)
  }

  to.bigInt(value)
}

function writeObject(to: CanonicalWriter, value: object | null, place: Place): void {
  if (value === null) {
    to.head(MAJOR.simple, SIMPLE.null)
  } else if (value instanceof Uint8Array) {
    to.byteString(value)
  } else if (Array.isArray(value)) {
    writeItems(to, value, place)
  } else {
    writeProperties(to, value, place)
  }
}

function writeItems(to: CanonicalWriter, items: readonly unknown[], place: Place): void {
  assertNestable(items, place)
  const { length } = items
  const depth = place.parents.push(items) - 1
  to.head(MAJOR.array, length)

  for (let i = 0; i < length; i++) {
    place.steps[depth] = i
    write(to, items[i], place)
  }

  place.parents.pop()
}

function writeProperties(to: CanonicalWriter, value: object, place: Place): void {
  assertNestable(value, place)
  assertPlain(value, place)
  const names = canonicalOrder(Object.keys(value))
  const depth = place.parents.push(value) - 1
  to.head(MAJOR.map, names.length)

  for (const name of names) {
    place.steps[depth] = name
    assertThat(name.isWellFormed(), place, 'has half a surrogate pair in its name')
    to.text(name)
    write(to, value[name as keyof object], place)
  }

  place.parents.pop()
}

/** By their encodings (RFC 8949 §4.2.1): shorter ones first, then by their bytes. */
function canonicalOrder(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, bytes: utf8.encode(name) }))
    .sort((a, b) => a.bytes.length - b.bytes.length || compare(a.bytes, b.bytes))
    .map(({ name }) => name)
}

function assertNestable(value: object, place: Place): void {
  const { parents } = place
  assertThat(!parents.includes(value), place, 'contains itself')
  assertThat(parents.length < MAX_VALUE_DEPTH, place, `is nested deeper than ${MAX_VALUE_DEPTH}`)
}

function assertPlain(value: object, place: Place): void {
  const prototype = Object.getPrototypeOf(value)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null

  if (!isPlain) {
    const name: string = prototype.constructor?.name ?? 'object'
    refuse(place, `is ${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`)
  }

  assertThat(Object.getOwnPropertySymbols(value).length === 0, place, 'has a symbol as a property')
  assertThat(place.role === 'value', place, 'is an object, which only values can be')
}

function assertThat(isTrue: boolean, place: Place, otherwise: string): void {
  if (!isTrue) {
    refuse(place, otherwise)
  }
}

function refuse(place: Place, fault: string): never {
  const objects = place.role === 'value' ? ', arrays and plain objects' : ' and arrays'
  throw new TypeError(
    `${pathTo(place)} ${fault}: null, booleans, numbers, 64-bit bigints, strings, Uint8Array${objects} can be stored`
  )
}

function pathTo({ role, parents, steps }: Place): string {
  return parents.reduce<string>((path, _, depth) => path + pathStep(steps[depth]), role)
}

function pathStep(step: number | string | undefined): string {
  return typeof step === 'string' && /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(step)
    ? `.${step}`
    : `[${JSON.stringify(step)}]`
}
