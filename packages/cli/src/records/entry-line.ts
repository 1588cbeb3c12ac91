import type { Found, Key, Subkey, Value } from '@waggle/record'
import { CommandError } from '../errors.ts'
import { parseKey, parseValue } from '../text/value-text.ts'

/** A line of an export, read. */
export interface ImportedEntry {
  readonly key: Key
  readonly subkey?: Subkey

  /** Undefined for a deletion. */
  readonly value?: Value
  readonly expirationTime: number

  /** Whether only its owner can store it. */
  readonly isSigned: boolean
}

/**
 * Reads a line as `waggle export` writes it.
 *
 * @throws CommandError naming the line
 */
export function parseEntryLine(text: string, lineNumber: number): ImportedEntry {
  const fields = fieldsOf(text, lineNumber)
  const { key, subkey, value, expirationTime, deleted, signed } = fields

  if (
    key === undefined ||
    typeof expirationTime !== 'number' ||
    (value === undefined) !== (deleted === true)
  ) {
    throw unreadable(
      lineNumber,
      'it needs "key", "expirationTime", and either "value" or "deleted": true'
    )
  }

  try {
    return {
      key: parseKey(JSON.stringify(key)),
      ...(subkey !== undefined && { subkey: parseKey(JSON.stringify(subkey)) }),
      ...(value !== undefined && { value: parseValue(JSON.stringify(value)) }),
      expirationTime,
      isSigned: signed === true
    }
  } catch (error) {
    throw unreadable(lineNumber, (error as Error).message)
  }
}

function fieldsOf(text: string, lineNumber: number): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(text)

    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) {
      return fields as Record<string, unknown>
    }
  } catch {
    // Told below.
  }

  throw unreadable(lineNumber, 'it is no JSON object')
}

function unreadable(lineNumber: number, reason: string): CommandError {
  return new CommandError(
    `line ${lineNumber} can't be imported: ${reason}. A line is like {"key": "k", "value": 1, "expirationTime": 1800000000}`
  )
}

/** What a reader found, as the writes of which it consists. */
export function* entriesFound(
  key: Key,
  { value, expirationTime }: Found
): Generator<ImportedEntry> {
  if (!(value instanceof Map)) {
    yield { key, value: value as Value, expirationTime, isSigned: false }
    return
  }

  for (const [subkey, entry] of value) {
    yield { key, subkey, ...entry, isSigned: false }
  }
}
