import { nearestNames } from './nearest-names.ts'

/** Names suggested in place of an unknown one. */
const MAX_SUGGESTED = 3

/** Throws a TypeError unless a given value is valid for the option. */
export type Check = (value: unknown, option: string) => void

/** Describes an option: its check, and its default. */
export interface Option<T = unknown> {
  /** Absent if the part that receives the option checks it. */
  readonly assert?: Check
  readonly default?: T
}

/** Describes all options of one owner, by name. */
export type OptionTable<T = Record<string, unknown>> = {
  readonly [K in keyof T]-?: Option<NonNullable<T[K]>>
}

/**
 * Checks each of the given options by its name. Ignores undefined ones.
 *
 * @param prefix - precedes the options' names in messages
 * @throws TypeError for one that `owner` does not have, or that is invalid
 */
export function assertOptions(
  owner: string,
  options: unknown,
  table: OptionTable,
  prefix = ''
): void {
  if (!isOptions(options)) {
    throw new TypeError(`the options of ${owner} must be an object, got ${shown(options)}`)
  }

  for (const name in options) {
    if (!Object.hasOwn(table, name)) {
      throw new TypeError(`${owner} has no option ${name}${alternatives(name, Object.keys(table))}`)
    }

    const value = (options as Readonly<Record<string, unknown>>)[name]

    if (value !== undefined) {
      table[name]?.assert?.(value, prefix + name)
    }
  }
}

/** Names the options that may have been meant, or all there are. */
function alternatives(name: string, names: readonly string[]): string {
  const word = name.toLowerCase()
  const longer = names.filter((one) => word.length > 1 && one.toLowerCase().includes(word))
  const shorter = names.filter((one) => one.length > 2 && word.includes(one.toLowerCase()))
  const likely = [...new Set([...nearestNames(name, names), ...longer])]
  const suggested = likely.length > 0 ? likely : shorter

  if (suggested.length > 0) {
    return `: did you mean ${suggested.slice(0, MAX_SUGGESTED).join(' or ')}?`
  }

  return `; it has ${names.join(', ')}`
}

/** Whether a value can hold options: arrays, maps, dates and bytes have none, and would be ignored. */
export function isOptions(value: unknown): value is object {
  const kind = Object.prototype.toString.call(value)
  return kind === '[object Object]' || kind === '[object Module]'
}

/** Checks that the option is true or false. */
export function assertBoolean(value: unknown, option: string): void {
  assertThat(typeof value === 'boolean', option, 'true or false', value)
}

/** Checks that the option is a string that is not empty. */
export function assertText(value: unknown, option: string): void {
  assertThat(typeof value === 'string' && value !== '', option, 'a string that is not empty', value)
}

/** Checks that the option is an array. */
export function assertArray(value: unknown, option: string): void {
  assertThat(Array.isArray(value), option, 'an array', value)
}

/** Checks that the option is a function. */
export function assertFunction(value: unknown, option: string): void {
  assertThat(typeof value === 'function', option, 'a function', value)
}

/** Makes a check for objects that have a method. */
export function assertMethod(method: string, what: string): Check {
  return (value, option) => {
    const member =
      typeof value === 'object' && value !== null ? Reflect.get(value, method) : undefined
    assertThat(typeof member === 'function', option, what, value)
  }
}

/** Throws a TypeError that names the option, unless the condition is true. */
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

/** Shows the most informative part: quoted text, and an object's class. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value)
  }

  if (typeof value === 'function') {
    return 'a function'
  }

  if (value instanceof Promise) {
    return 'a Promise: await it'
  }

  return typeof value === 'object' && value !== null
    ? (value.constructor?.name ?? 'an object')
    : String(value)
}
