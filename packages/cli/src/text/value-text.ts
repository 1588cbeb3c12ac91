import type { Key, Value } from '@waggle/record'
import { UsageError } from '../errors.ts'
import { type Json, line } from './json.ts'

/** What JSON has no words for is a string that begins like this; `text:` is for text that does so by chance. */
const PREFIXES = {
  'base64:': bytesOf,
  'bigint:': bigintOf,
  'number:': numberOf,
  'text:': (rest: string): Value => rest
} as const

/** The beginning of an object, array or string; an owner's tag is no array. */
const LIKE_JSON = /^\s*(?!\[owner:)[[{"]/

const LEAST_BIGINT = -(2n ** 63n)
const GREATEST_BIGINT = 2n ** 64n - 1n

/**
 * The value that an argument stands for: JSON, with `base64:…` for bytes. What is not JSON is taken
 * as text, so that nobody has to quote a word twice, unless it begins like an object, array or string.
 *
 * @throws UsageError for JSON with a mistake in it
 */
export function parseValue(text: string, what = 'the value'): Value {
  if (beginsSpecially(text)) {
    return fromText(text, what)
  }

  try {
    return JSON.parse(text, (_name, value: unknown, context?: { source?: string }) =>
      revived(value, context?.source, what)
    )
  } catch (error) {
    if (error instanceof UsageError || LIKE_JSON.test(text)) {
      throw error instanceof UsageError ? error : brokenJson(text, what, error)
    }

    return text
  }
}

/**
 * The key or subkey that an argument stands for, as {@link parseValue} reads it.
 *
 * @throws UsageError for objects, which can't be keys
 */
export function parseKey(text: string, what = 'the key'): Key {
  const value = parseValue(text, what)

  if (!isKey(value)) {
    throw new UsageError(
      `${what} ${text} holds an object, and an object can't be a key: use text, a number, or an array of these`
    )
  }

  return value
}

/** A value as JSON; {@link parseValue} reads its text back. */
export function jsonOf(value: Value): Json {
  if (value === null || typeof value === 'boolean') {
    return value
  }

  switch (typeof value) {
    case 'string':
      return beginsSpecially(value) ? `text:${value}` : value
    case 'bigint':
      return `bigint:${value}`
    case 'number':
      return isSaidByJson(value) ? value : `number:${Object.is(value, -0) ? '-0' : value}`
  }

  return compoundJson(value)
}

/** A value on one line, as it can be typed. */
export function shown(value: Value): string {
  return line(jsonOf(value))
}

/** JSON has no infinity; −0 would lose its sign, and an integer beyond 2⁵³ reads as a bigint. */
function isSaidByJson(value: number): boolean {
  const isLargeInteger = !Number.isSafeInteger(value) && /^-?\d+$/.test(String(value))
  return Number.isFinite(value) && !Object.is(value, -0) && !isLargeInteger
}

function compoundJson(value: Exclude<Value, null | boolean | string | bigint | number>): Json {
  if (value instanceof Uint8Array) {
    return `base64:${Buffer.from(value).toString('base64')}`
  }

  return Array.isArray(value)
    ? value.map(jsonOf)
    : Object.fromEntries(Object.entries(value).map(([name, item]) => [name, jsonOf(item)]))
}

function beginsSpecially(text: string): boolean {
  return Object.keys(PREFIXES).some((prefix) => text.startsWith(prefix))
}

function fromText(text: string, what: string): Value {
  for (const [prefix, read] of Object.entries(PREFIXES)) {
    if (text.startsWith(prefix)) {
      return read(text.slice(prefix.length), what)
    }
  }

  return text
}

/** JSON.parse would round integers beyond 2⁵³: their text says what they are. */
function revived(value: unknown, source: string | undefined, what: string): unknown {
  if (typeof value === 'string') {
    return fromText(value, what)
  }

  const isLargeInteger =
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')
  return isLargeInteger ? bigintOf(source ?? '', what) : value
}

function bytesOf(text: string, what: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  const canonical = (base64: string): string => base64.replace(/=+$/, '')

  if (canonical(bytes.toString('base64')) !== canonical(text)) {
    throw new UsageError(
      `${what}: after base64: come bytes in Base64, as in base64:aGVsbG8=, and ${line(text)} is not that; for text that begins so, write text:base64:…`
    )
  }

  return new Uint8Array(bytes)
}

function bigintOf(text: string, what: string): bigint {
  const value = /^-?\d+$/.test(text) ? BigInt(text) : undefined

  if (value === undefined || value < LEAST_BIGINT || value > GREATEST_BIGINT) {
    throw new UsageError(
      `${what}: a whole number goes from −2⁶³ to 2⁶⁴−1, and ${line(text)} does not`
    )
  }

  return value
}

function numberOf(text: string, what: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)

  if (Number.isNaN(value)) {
    throw new UsageError(`${what}: ${line(text)} is no number: number:Infinity and number:-0 are`)
  }

  return value
}

function brokenJson(text: string, what: string, error: unknown): UsageError {
  return new UsageError(
    `${what} begins like JSON and is not: ${(error as Error).message}. The shell takes quotes away: write '{"a": [1, 2]}' with both kinds, or 'text:${shortened(text)}' for text as it is`
  )
}

function shortened(text: string): string {
  return text.length > 12 ? `${text.slice(0, 12)}…` : text
}

function isKey(value: Value): value is Key {
  return Array.isArray(value)
    ? value.every(isKey)
    : value === null || typeof value !== 'object' || value instanceof Uint8Array
}
