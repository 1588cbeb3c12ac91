import {
  assertBoolean,
  assertFunction,
  assertMethod,
  assertThat,
  type Check
} from '../option-checks.ts'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions,
  WatchOptions
} from './call-options.ts'

/** The options of each call, all of them, and what an entry of storeMany may have. */
interface OptionsOfCalls {
  store: StoreOptions
  delete: DeleteOptions
  stopRepublishing: PlaceOptions
  get: GetOptions
  storeMany: StoreManyOptions
  entry: StoreEntry
  getMany: GetManyOptions
  watch: WatchOptions
  findNearestPeers: FindNearestPeersOptions
}

/** What an option has to be; true where this is checked below, or by whoever uses it. */
type Rule = Check | true

const SIGNAL = { signal: assertMethod('throwIfAborted', 'an AbortSignal') } as const
const CALL = { ...SIGNAL, timeoutMs: true } as const
const WRITE = { expirationTime: true, ttl: true, privateKey: true } as const
const READ = { ...CALL, latest: assertBoolean, sufficientExpirationTime: isMoment } as const

const OPTIONS: {
  readonly [C in keyof OptionsOfCalls]: Readonly<Record<keyof OptionsOfCalls[C], Rule>>
} = {
  store: { ...CALL, ...WRITE, subkey: true, republish: assertBoolean },
  delete: { ...CALL, ...WRITE, subkey: true },
  stopRepublishing: { subkey: true },
  get: READ,
  storeMany: { ...CALL, ...WRITE },
  entry: { ...WRITE, key: true, value: true, subkey: true },
  getMany: { ...READ, onProgress: assertFunction },
  watch: SIGNAL,
  findNearestPeers: { ...CALL, count: true }
}

function isMoment(value: unknown, option: string): void {
  const isSo = typeof value === 'number' && !Number.isNaN(value)
  assertThat(isSo, option, 'a number of seconds, as getDHTTime() gives', value)
}

/**
 * Throws a TypeError for an option that a call does not have, or that is not what it has to be.
 * Passed over, a misspelled one would change what is done: without its subkey, an entry of a
 * dictionary is a plain value.
 */
export function assertCallOptions(call: keyof OptionsOfCalls, options: object): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`the options of ${call} must be an object, got ${options}`)
  }

  const rules: Readonly<Record<string, Rule>> = OPTIONS[call]

  for (const name in options) {
    if (!Object.hasOwn(rules, name)) {
      throw new TypeError(
        `${call} has no option ${name}; it has ${Object.keys(rules).sort().join(', ')}`
      )
    }

    const rule = rules[name]
    const value = (options as Readonly<Record<string, unknown>>)[name]

    if (typeof rule === 'function' && value !== undefined) {
      rule(value, name)
    }
  }
}

/** The same where options are needed, as nothing is stored without an end. */
export function assertOptions(name: 'store' | 'delete', options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `${name} needs options with an expirationTime or a ttl, such as { ttl: 600 }, got ${options}`
    )
  }

  assertCallOptions(name, options)
}

/** A string or bytes are one key: to read each character or byte as one is never what is meant. */
export function assertMany(name: string, given: unknown): void {
  const isOneKey = typeof given === 'string' || given instanceof Uint8Array

  if (isOneKey || typeof Object(given)[Symbol.iterator] !== 'function') {
    throw new TypeError(`${name} must be an array or another iterable, got ${typeof given}`)
  }
}
