import {
  assertFunction,
  assertOptions,
  assertThat,
  assertValidator,
  type Check,
  DEFAULT_LIMITS,
  isOptions,
  type OptionTable
} from '@waggle/record/replica'

import { LARGEST_MAX_KEY_BYTES, LARGEST_MAX_RECORD_BYTES } from './constants.ts'
import { DEFAULT_NODE_LIMITS } from './node-limits.ts'

export {
  assertArray,
  assertBoolean,
  assertFunction,
  assertMethod,
  assertOptions,
  assertText,
  assertThat,
  type Check,
  type Option,
  type OptionTable,
  shown
} from '@waggle/record/replica'

/** Returns the given options, and the defaults of the others. */
export function withDefaults<T extends object>(options: T, table: OptionTable<T>): T {
  const names = Object.keys(table) as (keyof T)[]
  return Object.fromEntries(names.map((name) => [name, options[name] ?? table[name].default])) as T
}

/** Converts one value, several or none to a list. */
export function asList<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T]
}

/** Parses one address or each of several. */
export function assertEach(parse: (address: unknown, option: string) => unknown): Check {
  return (value, option) => {
    for (const address of asList(value)) {
      parse(address, option)
    }
  }
}

/** Checks that the option is a positive number. */
export function assertPositive(value: unknown, option: string): void {
  const isValid = typeof value === 'number' && value > 0 && Number.isFinite(value)
  assertThat(isValid, option, 'a positive number', value)
}

/** Checks that the option is a positive integer. */
export function assertCount(value: unknown, option: string): void {
  const isValid = Number.isSafeInteger(value) && Number(value) >= 1
  assertThat(isValid, option, 'an integer from 1 up', value)
}

/** Makes a check for integers within bounds. */
export function assertInteger(least: number, most: number): Check {
  return (value, option) => {
    const isValid = Number.isInteger(value) && Number(value) >= least && Number(value) <= most
    assertThat(isValid, option, `an integer from ${least} to ${most}`, value)
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

/** Checks that the option is an object. */
export function assertObject(value: unknown, option: string): void {
  assertThat(typeof value === 'object' && value !== null, option, 'an object', value)
}

/** Largest record limits: a record and its key must fit a message of the exchange and of kad-dht. */
const RECORD_LIMITS: OptionTable = {
  ...eachBy(assertPositive, DEFAULT_LIMITS),
  maxRecordBytes: { assert: assertPositiveUpTo(LARGEST_MAX_RECORD_BYTES) },
  maxKeyBytes: { assert: assertPositiveUpTo(LARGEST_MAX_KEY_BYTES) }
}
const NODE_LIMITS: OptionTable = {
  ...eachBy(assertCount, DEFAULT_NODE_LIMITS),
  maxForwardedKeys: { assert: assertInteger(0, 65_536) }
}

const STORE_LIMITS = Object.fromEntries(
  Object.entries(DEFAULT_NODE_LIMITS).filter(([name]) => name.startsWith('maxStored'))
)

function eachBy(assert: Check, limits: object): OptionTable {
  return Object.fromEntries(Object.keys(limits).map((name) => [name, { assert }]))
}

function assertPositiveUpTo(most: number): Check {
  return (value, option) => {
    assertPositive(value, option)
    assertThat(Number(value) <= most, option, `at most ${most}, or it fits no message`, value)
  }
}

/**
 * Checks that a service has been called. libp2p calls what its `services` hold, and gives the node's components to a
 * service that was named without its call.
 */
export function assertCalled(service: string, init: unknown): void {
  if (isOptions(init) && Reflect.get(init, 'registrar') !== undefined) {
    throw new TypeError(`the services of a libp2p node need ${service}(), not ${service}: call it`)
  }
}

/** Checks limits of records and of this node. */
export function assertLimits(value: unknown, option: string): void {
  assertMembers(value, option, { ...RECORD_LIMITS, ...NODE_LIMITS })
}

/** Checks the limits of `waggle()`, which has no store of its own. */
export function assertServiceLimits(value: unknown, option: string): void {
  assertMembers(value, option, { ...NODE_LIMITS, ...eachBy(refuseStoreLimit, STORE_LIMITS) })
}

/** Says where a limit of the store belongs, which `waggle()` would ignore. */
function refuseStoreLimit(_: unknown, option: string): void {
  const own = option.replace('limits.maxStored', 'max')
  throw new TypeError(
    `${option} is a limit of the store: use waggleKadDHT({ records: { ${own} } })`
  )
}

export function assertRecordLimits(value: unknown, option: string): void {
  assertMembers(value, option, RECORD_LIMITS)
}

/** Checks each given member by its name. */
export function assertMembers(value: unknown, option: string, table: OptionTable): void {
  assertThat(isOptions(value), option, 'an object', value)
  assertOptions(option, value, table, `${option}.`)
}

/** Checks functions by name, such as kad-dht's validators. */
export function assertFunctions(value: unknown, option: string): void {
  assertObject(value, option)

  for (const [name, member] of Object.entries(value as object)) {
    assertFunction(member, `${option}.${name}`)
  }
}

export function assertValidators(value: unknown, option: string): void {
  assertThat(Array.isArray(value), option, 'an array of validators', value)

  for (const [index, validator] of (value as unknown[]).entries()) {
    assertValidator(validator, `${option}[${index}]`)
  }
}

export function assertNotNegative(value: unknown, option: string): void {
  const isValid = typeof value === 'number' && value >= 0 && Number.isFinite(value)
  assertThat(isValid, option, 'a number of seconds, 0 or more', value)
}

/** Checks that the option is a number of seconds, which may be infinite. */
export function assertAge(value: unknown, option: string): void {
  const isSo = typeof value === 'number' && value >= 0
  assertThat(isSo, option, 'a number of seconds, 0 or more, or Infinity', value)
}
