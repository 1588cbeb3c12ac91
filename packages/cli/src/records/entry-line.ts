import type { Found, Key, Subkey, Value } from '@waggle/record'
import { CommandError } from '../errors.ts'
import { parseKey, parseValue } from '../text/value-text.ts'

/** A parsed line of an export. */
export interface ImportedEntry {
  readonly key: Key
  readonly subkey?: Subkey

  /** Undefined for a deletion. */
  readonly value?: Value
  readonly expirationTime: number

  /** Whether only the owner can store it. */
  readonly isSigned: boolean
}

/** A line that can't be imported, with the reason. */
export class LineError extends CommandError {
  constructor(lineNumber: number, reason: string) {
    super(
      `line ${lineNumber} can't be imported: ${reason}. A valid line is {"key": "k", "value": 1, "expirationTime": 1800000000}`
    )
  }
}

/**
 * Reads a line as `waggle export` writes it.
 *
 * @throws LineError for any other line
 */
export function parseEntryLine(text: string | undefined, lineNumber: number): ImportedEntry {
  if (text === undefined) {
    throw new LineError(lineNumber, 'it is not UTF-8 text')
  }

  const fields = fieldsOf(text, lineNumber)
  const { key, subkey, value, expirationTime, deleted, signed } = fields

  if (
    key === undefined ||
    typeof expirationTime !== 'number' ||
    (value === undefined) !== (deleted === true)
  ) {
    throw new LineError(
      lineNumber,
      'it needs "key", "expirationTime" and either "value" or "deleted": true'
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
    throw new LineError(lineNumber, (error as Error).message)
  }
}

function fieldsOf(text: string, lineNumber: number): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(text)

    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) {
      return fields as Record<string, unknown>
    }
  } catch {
    // The error below reports it.
  }

  throw new LineError(lineNumber, 'it is not a JSON object')
}

/** Lists the writes in a value that was read. */
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
