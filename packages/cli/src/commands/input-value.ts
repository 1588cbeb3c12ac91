import type { Readable } from 'node:stream'
import type { Value } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { UsageError } from '../errors.ts'
import { utf8 } from '../text/utf8.ts'
import { parseValue } from '../text/value-text.ts'

/** Longest input, in bytes: a value as JSON may take several times what it takes encoded. */
const MAX_INPUT_BYTES = 16 * DEFAULT_LIMITS.maxValueBytes

/**
 * Reads a value: text as an argument would be read, without the newline at its end, and anything else as
 * bytes, unchanged.
 *
 * @throws UsageError for an input that can't fit a value, or that never ends
 */
export async function inputValue(input: Readable, isRaw: boolean): Promise<Value> {
  const bytes = await bytesOf(input)
  const text = isRaw ? undefined : utf8(bytes)
  return text === undefined ? bytes : parseValue(text.replace(/\r?\n$/, ''))
}

async function bytesOf(input: Readable): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0

  for await (const part of input) {
    parts.push(part)
    length += part.length

    if (length > MAX_INPUT_BYTES) {
      throw new UsageError(
        `the value is too large: a value takes up to ${DEFAULT_LIMITS.maxValueBytes} bytes`
      )
    }
  }

  return new Uint8Array(Buffer.concat(parts))
}
