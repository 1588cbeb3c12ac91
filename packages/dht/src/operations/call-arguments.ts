import type { Key, OptionalLifetime, Subkey } from '@waggle/record'
import { isOptions } from '@waggle/record/replica'
import type { WatchOptions } from '../live/watch.ts'
import {
  assertAge,
  assertBoolean,
  assertCount,
  assertFunction,
  assertMethod,
  assertOptions,
  assertThat,
  type OptionTable,
  shown
} from '../option-checks.ts'
import { assertTimeout, type CallOptions } from '../timing/calls.ts'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions,
  WriteOptions
} from './call-options.ts'
import type { PublishOptions, StopOptions } from './publication.ts'
import type { Report } from './store-report.ts'
import { assertPrivateKey } from './writes.ts'

/** All options of each call, and of an entry of storeMany. */
interface OptionsOfCalls {
  store: StoreOptions & Report<boolean>
  delete: DeleteOptions & Report<boolean>
  'handle.store': WriteOptions & OptionalLifetime
  'handle.delete': WriteOptions & OptionalLifetime
  'handle.publish': Omit<PublishOptions, 'subkey'>
  'handle.get': GetOptions
  'handle.watch': WatchOptions
  publish: PublishOptions
  held: CallOptions
  stop: StopOptions
  get: GetOptions & PlaceOptions
  storeMany: StoreManyOptions & Report<boolean>
  entry: StoreEntry
  getMany: GetManyOptions
  place: { key: Key; subkey: Subkey }
  watch: WatchOptions & PlaceOptions
  inspect: CallOptions
  findNearestPeers: FindNearestPeersOptions
}

const SIGNAL = { signal: { assert: assertMethod('throwIfAborted', 'an AbortSignal') } } as const

const CALL = { ...SIGNAL, timeoutMs: { assert: assertTimeout } } as const

/** Whether a duration or a timestamp is possible depends on the clock, so the write checks it. */
const WRITE = {
  expirationTime: { assert: assertSeconds },
  ttl: { assert: assertSeconds },
  privateKey: { assert: assertPrivateKey }
} as const
const RETRY = { retry: { assert: assertBoolean } } as const
const REPORT = { report: { assert: assertBoolean } } as const
const READ = {
  ...CALL,
  latest: { assert: assertBoolean },
  maxAge: { assert: assertAge },
  sufficientExpirationTime: { assert: assertTime }
} as const

const PUBLISH = {
  ...SIGNAL,
  ttl: {},
  goodbye: { assert: assertBoolean },
  privateKey: WRITE.privateKey
} as const
const WATCH = {
  ...SIGNAL,
  renewals: { assert: assertBoolean },
  onProgress: { assert: assertFunction }
} as const

const OPTIONS: { readonly [C in keyof OptionsOfCalls]: OptionTable<OptionsOfCalls[C]> } = {
  store: { ...CALL, ...WRITE, ...REPORT, ...RETRY, subkey: {} },
  delete: { ...CALL, ...WRITE, ...REPORT, ...RETRY, subkey: {} },
  publish: { ...PUBLISH, subkey: {} },
  'handle.store': { ...CALL, ...WRITE, ...RETRY },
  'handle.delete': { ...CALL, ...WRITE, ...RETRY },
  'handle.publish': PUBLISH,
  'handle.get': READ,
  'handle.watch': WATCH,
  held: CALL,
  stop: { goodbye: { assert: assertBoolean }, timeoutMs: { assert: assertTimeout } },
  get: { ...READ, subkey: {} },
  storeMany: { ...CALL, ...WRITE, ...REPORT },
  entry: { ...WRITE, key: {}, value: {}, subkey: {} },
  getMany: { ...READ, onProgress: { assert: assertFunction } },
  place: { key: {}, subkey: {} },
  watch: { ...WATCH, subkey: {} },
  inspect: CALL,
  findNearestPeers: { ...CALL, count: { assert: assertCount } }
}

function assertSeconds(value: unknown, option: string): void {
  assertThat(typeof value === 'number', option, 'a number of seconds', value)
}

function assertTime(value: unknown, option: string): void {
  const isSo = typeof value === 'number' && !Number.isNaN(value)
  assertThat(isSo, option, 'a number of seconds, as getDHTTime() gives', value)
}

/**
 * Throws a TypeError for an unknown or invalid option of a call. Ignoring a misspelled option would change the
 * result: without its subkey, an entry of a dictionary is a plain value.
 */
export function assertCallOptions(call: keyof OptionsOfCalls, options: unknown): void {
  assertOptions(call.replace('handle.', ''), options, OPTIONS[call])
}

/** Checks one entry of `storeMany`. */
export function assertEntry(entry: unknown): void {
  assertThat(isOptions(entry), 'it', 'an object { key, value }', entry)
  assertCallOptions('entry', entry)
}

/** Checks the options of a handle's reads, which know their place. */
export function assertReadOptions(options: unknown = {}): void {
  assertCallOptions('handle.get', options)
}

/** Checks options that a call needs, since nothing is stored without an end. */
export function assertLifetimeOptions(name: 'store', options: unknown): void {
  if (options === undefined) {
    throw new TypeError(
      `${name} needs options with an expirationTime or a ttl, such as { ttl: 600 }`
    )
  }

  assertCallOptions(name, options)
}

/** Checks the options of `publish`: a value is kept alive for a time that is counted from each renewal. */
export function assertPublishOptions(options: unknown): void {
  if (options === undefined) {
    throw new TypeError(`publish needs options with a ttl, such as { ttl: 30 }`)
  }

  assertCallOptions('publish', options)
  const { ttl } = options as { ttl?: unknown }
  assertThat(typeof ttl === 'number' && ttl > 0, 'ttl', 'a positive number of seconds', ttl)
}

/** Checks for an iterable. A string or bytes are one key, and never meant as a key for each character or byte. */
export function assertMany(name: string, given: unknown): void {
  const isOneKey = typeof given === 'string' || given instanceof Uint8Array

  if (isOneKey || typeof Object(given)[Symbol.iterator] !== 'function') {
    throw new TypeError(`${name} must be an array or another iterable, got ${shown(given)}`)
  }
}
