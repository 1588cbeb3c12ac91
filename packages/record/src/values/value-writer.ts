import { compare } from 'uint8arrays/compare'
import { is64Bit, MAJOR, SIMPLE } from '../cbor/format.ts'
import type { CanonicalWriter } from '../cbor/writer.ts'
import { MAX_VALUE_DEPTH } from './value.ts'

/** The use of the written value. Only values can hold objects. */
export type Role = 'value' | 'key' | 'subkey'

/** The writer's position inside the value. It becomes a path only for an error message. */
interface Position {
  readonly role: Role

  /** The arrays and objects around the position, from the outside in. */
  readonly parents: object[]

  /** The index or name that leads further into each of them. */
  readonly steps: (number | string)[]
}

const utf8 = new TextEncoder()

/**
 * Writes a value, key or subkey. As a key, −0 is 0, as in a Map.
 *
 * @throws TypeError naming the path to what can't be stored (R11)
 */
export function writeValue(to: CanonicalWriter, value: unknown, role: Role): void {
  write(to, value, { role, parents: [], steps: [] })
}

function write(to: CanonicalWriter, value: unknown, position: Position): void {
  switch (typeof value) {
    case 'boolean':
      to.head(MAJOR.simple, value ? SIMPLE.true : SIMPLE.false)
      break
    case 'number':
      writeNumber(to, value, position)
      break
    case 'bigint':
      writeBigInt(to, value, position)
      break
    case 'string':
      assertThat(value.isWellFormed(), position, 'is a string with half a surrogate pair')
      to.text(value)
      break
    case 'object':
      writeObject(to, value, position)
      break
    default:
      refuse(position, `is ${value === undefined ? 'undefined' : `a ${typeof value}`}`)
  }
}

function writeNumber(to: CanonicalWriter, value: number, position: Position): void {
  assertThat(!Number.isNaN(value), position, 'is NaN')
  to.number(value === 0 && position.role !== 'value' ? 0 : value)
}

function writeBigInt(to: CanonicalWriter, value: bigint, position: Position): void {
  if (!is64Bit(value)) {
    refuse(position, `is ${value}, which does not fit 64 bits`)
  }

  to.bigInt(value)
}

function writeObject(to: CanonicalWriter, value: object | null, position: Position): void {
  if (value === null) {
    to.head(MAJOR.simple, SIMPLE.null)
  } else if (value instanceof Uint8Array) {
    to.byteString(value)
  } else if (Array.isArray(value)) {
    writeItems(to, value, position)
  } else {
    writeProperties(to, value, position)
  }
}

function writeItems(to: CanonicalWriter, items: readonly unknown[], position: Position): void {
  assertNestable(items, position)
  const { length } = items
  const depth = position.parents.push(items) - 1
  to.head(MAJOR.array, length)

  for (let i = 0; i < length; i++) {
    position.steps[depth] = i
    write(to, items[i], position)
  }

  position.parents.pop()
}

function writeProperties(to: CanonicalWriter, value: object, position: Position): void {
  assertNestable(value, position)
  assertPlain(value, position)
  const names = sortNames(
    Object.keys(value).filter((name) => value[name as keyof object] !== undefined)
  )
  const depth = position.parents.push(value) - 1
  to.head(MAJOR.map, names.length)

  for (const name of names) {
    position.steps[depth] = name
    assertThat(name.isWellFormed(), position, 'has half a surrogate pair in its name')
    to.text(name)
    write(to, value[name as keyof object], position)
  }

  position.parents.pop()
}

/** Sorts names by their encodings (RFC 8949 §4.2.1): shorter ones first, then by their bytes. */
function sortNames(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, bytes: utf8.encode(name) }))
    .sort((a, b) => a.bytes.length - b.bytes.length || compare(a.bytes, b.bytes))
    .map(({ name }) => name)
}

function assertNestable(value: object, position: Position): void {
  const { parents } = position
  assertThat(!parents.includes(value), position, 'contains itself')
  assertThat(parents.length < MAX_VALUE_DEPTH, position, `is nested deeper than ${MAX_VALUE_DEPTH}`)
}

function assertPlain(value: object, position: Position): void {
  const prototype = Object.getPrototypeOf(value)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null

  if (!isPlain) {
    const name: string = prototype.constructor?.name ?? 'object'
    refuse(position, `is ${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`)
  }

  assertThat(
    Object.getOwnPropertySymbols(value).length === 0,
    position,
    'has a symbol as a property'
  )
  assertThat(position.role === 'value', position, 'is an object, which only values can be')
}

function assertThat(isTrue: boolean, position: Position, otherwise: string): void {
  if (!isTrue) {
    refuse(position, otherwise)
  }
}

function refuse(position: Position, fault: string): never {
  const { role } = position
  const rest =
    role === 'value' ? ', arrays and plain objects can be stored' : ` and arrays can be ${role}s`
  throw new TypeError(
    `${pathTo(position)} ${fault}: null, booleans, numbers, 64-bit bigints, strings, Uint8Array${rest}`
  )
}

function pathTo({ role, parents, steps }: Position): string {
  return parents.reduce<string>((path, _, depth) => path + pathStep(steps[depth]), role)
}

function pathStep(step: number | string | undefined): string {
  return typeof step === 'string' && /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(step)
    ? `.${step}`
    : `[${JSON.stringify(step)}]`
}
