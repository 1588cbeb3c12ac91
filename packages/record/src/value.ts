import { CanonicalReader } from './cbor-reader.ts'
import { written } from './cbor-writer.ts'
import { DEFAULT_LIMITS } from './constants.ts'
import { RecordTooLargeError } from './errors.ts'
import type { Key, Limits, Value } from './interface.ts'
import { readName, readValue, skipName } from './value-reader.ts'
import { writeValue } from './value-writer.ts'

/**
 * The canonical bytes of a value (R10): equal values have equal bytes, and what is decoded equals
 * what was encoded. Integers and floats, bytes and strings, bigints and numbers stay what they are.
 *
 * @throws TypeError naming the path to what can't be stored (R11)
 * @throws RecordTooLargeError beyond `limits.maxValueBytes`
 */
export function encodeValue(value: Value, limits: Limits = DEFAULT_LIMITS): Uint8Array {
  const bytes = written((to) => writeValue(to, value, 'value'))

  if (bytes.length > limits.maxValueBytes) {
    throw new RecordTooLargeError(
      `the value takes ${bytes.length} bytes encoded, at most ${limits.maxValueBytes} are allowed`
    )
  }

  return bytes
}

/**
 * Reads canonical bytes back into the value.
 *
 * @throws MalformedRecordError for any other bytes
 */
export function decodeValue(bytes: Uint8Array): Value {
  return whole(bytes, readValue)
}

/**
 * Reads the canonical bytes of a key or subkey, which begin at `start`.
 *
 * @throws MalformedRecordError for any other bytes
 */
export function decodeName(bytes: Uint8Array, start = 0): Key {
  return whole(bytes, readName, start)
}

/** Checks what {@link decodeName} reads, without building it. */
export function assertName(bytes: Uint8Array, start = 0): void {
  whole(bytes, skipName, start)
}

function whole<T>(bytes: Uint8Array, read: (from: CanonicalReader) => T, start = 0): T {
  const from = new CanonicalReader(bytes, start)
  const result = read(from)
  from.end()
  return result
}
