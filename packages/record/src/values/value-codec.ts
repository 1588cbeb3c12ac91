import { CanonicalReader } from '../cbor/reader.ts'
import { writeBytes } from '../cbor/writer.ts'
import { RecordTooLargeError } from '../errors.ts'
import { DEFAULT_LIMITS, type Limits } from '../limits.ts'
import type { Key, Value } from './value.ts'
import { readName, readValue, skipName } from './value-reader.ts'
import { writeValue } from './value-writer.ts'

/**
 * Encodes a value canonically (R10): equal values have equal bytes, and the decoded value equals the
 * encoded one. Integers and floats, bytes and strings, bigints and numbers stay distinct.
 *
 * @throws TypeError naming the path to what can't be stored (R11)
 * @throws RecordTooLargeError beyond `limits.maxValueBytes`
 */
export function encodeValue(value: Value, limits: Limits = DEFAULT_LIMITS): Uint8Array {
  const bytes = writeBytes((to) => writeValue(to, value, 'value'))

  if (bytes.length > limits.maxValueBytes) {
    throw new RecordTooLargeError(
      `the value takes ${bytes.length} bytes encoded, at most ${limits.maxValueBytes} are allowed`
    )
  }

  return bytes
}

/**
 * Decodes the canonical bytes of a value.
 *
 * @throws MalformedRecordError for any other bytes
 */
export function decodeValue(bytes: Uint8Array): Value {
  return readWhole(bytes, readValue)
}

/**
 * Decodes the canonical bytes of a key or subkey, which begin at `start`.
 *
 * @throws MalformedRecordError for any other bytes
 */
export function decodeName(bytes: Uint8Array, start = 0): Key {
  return readWhole(bytes, readName, start)
}

/**
 * Checks what {@link decodeName} reads, without building it.
 *
 * @throws MalformedRecordError
 */
export function assertName(bytes: Uint8Array, start = 0): void {
  readWhole(bytes, skipName, start)
}

/** Reads one item and expects that nothing follows. */
function readWhole<T>(bytes: Uint8Array, read: (from: CanonicalReader) => T, start = 0): T {
  const from = new CanonicalReader(bytes, start)
  const result = read(from)
  from.end()
  return result
}
