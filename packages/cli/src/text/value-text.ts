import type { Key, Value } from '@waggle/record'
import { UsageError } from '../errors.ts'
import { type Json, line } from './json.ts'

/** Prefixes of strings for values that JSON lacks. `text:` escapes text that begins with a prefix by chance. */
const PREFIXES = {
  'base64:': bytesOf,
  'bigint:': bigintOf,
  'number:': numberOf,
  'text:': (rest: string): Value => rest
} as const

/** The beginning of an object, array or string; an owner tag is not an array. */
const LIKE_JSON = /^\s*(?!\[owner:)[[{"]/

const LEAST_BIGINT = -(2n ** 63n)
const GREATEST_BIGINT = 2n ** 64n - 1n

/**
 * Parses an argument to a value: JSON, with `base64:…` for bytes. An argument that is not JSON is
 * text, so a word needs no quotes, unless it begins like an object, array or string.
 *
 * @throws UsageError for JSON with a mistake in it
 */
export function parseValue(text: string, what = 'the value'): Value {
  if (hasPrefix(text)) {
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
 * Parses an argument to a key or subkey, as {@link parseValue} does.
 *
 * @throws UsageError for objects, which can't be keys
 */
export function parseKey(text: string, what = 'the key'): Key {
  const value = parseValue(text, what)

  if (!isKey(value)) {
    throw new UsageError(
      `${what} ${text} contains an object, and an object can't be a key: use text, a number, or an array of these`
    )
  }

  return value
}

/** Converts a value to JSON whose text {@link parseValue} reads back. */
export function jsonOf(value: Value): Json {
  if (value === null || typeof value === 'boolean') {
    return value
  }

  switch (typeof value) {
    case 'string':
      return hasPrefix(value) ? `text:${value}` : value
    case 'bigint':
      return `bigint:${value}`
    case 'number':
      return isExactInJson(value) ? value : `number:${Object.is(value, -0) ? '-0' : value}`
  }

  return compoundJson(value)
}

/** Formats a value on one line, as it can be typed. */
export function shown(value: Value): string {
  return line(jsonOf(value))
}

/** Whether JSON represents the number. It lacks infinity and −0, and integers beyond 2⁵³ are read as bigints. */
function isExactInJson(value: number): boolean {
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

function hasPrefix(text: string): boolean {
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

/** Restores an integer beyond 2⁵³ from its text, because JSON.parse rounds it. */
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
      `${what}: base64: must be followed by Base64, as in base64:aGVsbG8=, not ${line(text)}. For text that begins with base64:, write text:base64:…`
    )
  }

  return new Uint8Array(bytes)
}

function bigintOf(text: string, what: string): bigint {
  const value = /^-?\d+$/.test(text) ? BigInt(text) : undefined

  if (value === undefined || value < LEAST_BIGINT || value > GREATEST_BIGINT) {
    throw new UsageError(`${what}: ${line(text)} is not an integer from −2⁶³ to 2⁶⁴−1`)
  }

  return value
}

function numberOf(text: string, what: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)

  if (Number.isNaN(value)) {
    throw new UsageError(
      `${what}: ${line(text)} is not a number; examples are number:Infinity and number:-0`
    )
  }

  return value
}

function brokenJson(text: string, what: string, error: unknown): UsageError {
  return new UsageError(
    `${what} begins like JSON but is not valid JSON: ${(error as Error).message}. The shell removes quotes: write '{"a": [1, 2]}' with both kinds, or 'text:${shortened(text)}' for literal text`
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
