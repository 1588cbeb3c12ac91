import { DEFAULT_LIMITS } from '@waggle/record'
import { DEFAULT_NODE_LIMITS } from './node-limits.ts'

/** Throws a TypeError unless the value, which is given, suits the option. */
export type Check = (value: unknown, option: string) => void

/** One or several as a list. */
export function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T]
}

/** Parses one address or each of several. */
export function assertEach(parse: (address: unknown, option: string) => unknown): Check {
  return (value, option) => {
    for (const address of list(value)) {
      parse(address, option)
    }
  }
}

/** Says what is wrong unless the option is true or false. */
export function assertBoolean(value: unknown, option: string): void {
  assertThat(typeof value === 'boolean', option, 'true or false', value)
}

/** Says what is wrong unless the option is a string that is not empty. */
export function assertText(value: unknown, option: string): void {
  assertThat(typeof value === 'string' && value !== '', option, 'a string that is not empty', value)
}

/** Says what is wrong unless the option is a positive number. */
export function assertPositive(value: unknown, option: string): void {
  const isSo = typeof value === 'number' && value > 0 && Number.isFinite(value)
  assertThat(isSo, option, 'a positive number', value)
}

/** How many of something: none at all, or half a one, is no limit that anything could keep. */
export function assertCount(value: unknown, option: string): void {
  const isSo = Number.isSafeInteger(value) && Number(value) >= 1
  assertThat(isSo, option, 'a whole number, 1 or more', value)
}

/** Makes a check for integers within bounds. */
export function assertInteger(least: number, most: number): Check {
  return (value, option) => {
    const isSo = Number.isInteger(value) && Number(value) >= least && Number(value) <= most
    assertThat(isSo, option, `a whole number from ${least} to ${most}`, value)
  }
}

export function assertOneOf(...choices: readonly string[]): Check {
  const named = choices.map((choice) => JSON.stringify(choice)).join(', ')
  return (value, option) =>
    assertThat(
      choices.some((choice) => choice === value),
      option,
      `one of ${named}`,
      value
    )
}

/** Says what is wrong unless the option is an object. */
export function assertObject(value: unknown, option: string): void {
  assertThat(typeof value === 'object' && value !== null, option, 'an object', value)
}

type Checks = Readonly<Record<string, Check>>

const RECORD_LIMITS = eachBy(assertPositive, DEFAULT_LIMITS)
const NODE_LIMITS = eachBy(assertCount, DEFAULT_NODE_LIMITS)

function eachBy(check: Check, limits: object): Checks {
  return Object.fromEntries(Object.keys(limits).map((name) => [name, check]))
}

/** Limits of records, and of this node. */
export function assertLimits(value: unknown, option: string): void {
  assertMembers(value, option, { ...RECORD_LIMITS, ...NODE_LIMITS })
}

export function assertNodeLimits(value: unknown, option: string): void {
  assertMembers(value, option, NODE_LIMITS)
}

/** Each that is given, by its name. */
export function assertMembers(value: unknown, option: string, checks: Checks): void {
  assertObject(value, option)
  const names = Object.keys(checks)

  for (const [name, member] of Object.entries(value as object)) {
    assertThat(names.includes(name), `${option}.${name}`, `one of ${names.join(', ')}`, name)

    if (member !== undefined) {
      checks[name]?.(member, `${option}.${name}`)
    }
  }
}

/**
 * Checks each of the options that are given, by its name.
 *
 * @throws TypeError for one that `owner` does not have, or that is wrong
 */
export function assertOptions(owner: string, options: unknown, checks: Checks): void {
  assertThat(
    typeof options === 'object' && options !== null,
    `the options of ${owner}`,
    'an object',
    options
  )

  for (const [option, value] of Object.entries(options as object)) {
    if (!Object.hasOwn(checks, option)) {
      throw new TypeError(
        `${option} is not an option of ${owner}; there are ${Object.keys(checks).join(', ')}`
      )
    }

    if (value !== undefined) {
      checks[option]?.(value, option)
    }
  }
}

/** For what somebody else checks. */
export function assertNothing(): void {}

/** Functions by name, such as kad-dht's validators. */
export function assertFunctions(value: unknown, option: string): void {
  assertObject(value, option)

  for (const [name, member] of Object.entries(value as object)) {
    assertFunction(member, `${option}.${name}`)
  }
}

/** Limits of single records. */
export function assertRecordLimits(value: unknown, option: string): void {
  assertMembers(value, option, RECORD_LIMITS)
}

/** Says what is wrong unless the option is a function. */
export function assertFunction(value: unknown, option: string): void {
  assertThat(typeof value === 'function', option, 'a function', value)
}

export function assertValidators(value: unknown, option: string): void {
  assertThat(Array.isArray(value), option, 'an array of validators', value)

  for (const [index, validator] of (value as unknown[]).entries()) {
    assertMethod('validate', 'a RecordValidator: an object with validate()')(
      validator,
      `${option}[${index}]`
    )
  }
}

export function assertNotNegative(value: unknown, option: string): void {
  const isSo = typeof value === 'number' && value >= 0 && Number.isFinite(value)
  assertThat(isSo, option, 'a number of seconds, 0 or more', value)
}

/** Makes a check for objects that have a method. */
export function assertMethod(method: string, what: string): Check {
  return (value, option) => {
    const member =
      typeof value === 'object' && value !== null ? Reflect.get(value, method) : undefined
    assertThat(typeof member === 'function', option, what, value)
  }
}

/** Throws a TypeError that names the option, unless something is true. */
export function assertThat(
  isTrue: boolean,
  option: string,
  expected: string,
  value: unknown
): void {
  if (!isTrue) {
    throw new TypeError(`${option} must be ${expected}, got ${shown(value)}`)
  }
}

/** What tells somebody most: a text in quotes, and of an object what kind it is. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value)
  }

  return typeof value === 'object' && value !== null
    ? (value.constructor?.name ?? 'an object')
    : String(value)
}
