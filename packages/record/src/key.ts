import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { DEFAULT_LIMITS, NAMESPACE } from './constants.ts'
import { InvalidKeyError } from './errors.ts'
import type { Key, Limits, Subkey, SubkeyId } from './interface.ts'
import { decodeName, encodeName } from './value.ts'

const PREFIX = fromString(`/${NAMESPACE}/`)

/**
 * The key under which kad-dht and Waggle know a record: `/waggle/` and the key's canonical bytes (N1).
 *
 * @throws TypeError when the key holds what R11 does not allow
 * @throws InvalidKeyError beyond `limits.maxKeyBytes`
 */
export function recordKey(key: Key, limits: Limits = DEFAULT_LIMITS): Uint8Array {
  const bytes = encodeName(key, 'key')
  assertSize(bytes, limits.maxKeyBytes, 'key')
  return concat([PREFIX, bytes])
}

/**
 * The key that a record key stands for.
 *
 * @throws InvalidKeyError when the bytes are not what {@link recordKey} makes
 */
export function parseRecordKey(bytes: Uint8Array, limits: Limits = DEFAULT_LIMITS): Key {
  if (!isRecordKey(bytes)) {
    throw new InvalidKeyError(`a record key begins with /${NAMESPACE}/`)
  }

  const encoded = bytes.subarray(PREFIX.length)
  assertSize(encoded, limits.maxKeyBytes, 'key')

  try {
    return decodeName(encoded)
  } catch (cause) {
    throw new InvalidKeyError(`the bytes after /${NAMESPACE}/ are not a key`, { cause })
  }
}

/** Whether the bytes are in Waggle's namespace; they may still not be a valid key. */
export function isRecordKey(bytes: Uint8Array): boolean {
  return equals(bytes.subarray(0, PREFIX.length), PREFIX)
}

/**
 * The name of a subkey inside a record.
 *
 * @throws TypeError when the subkey holds what R11 does not allow
 * @throws InvalidKeyError beyond `limits.maxSubkeyBytes`
 */
export function subkeyId(subkey: Subkey, limits: Limits = DEFAULT_LIMITS): SubkeyId {
  const bytes = encodeName(subkey, 'subkey')
  assertSize(bytes, limits.maxSubkeyBytes, 'subkey')
  return subkeyIdOf(bytes)
}

/** The subkey that such a name stands for. */
export function parseSubkeyId(id: SubkeyId): Subkey {
  return decodeName(subkeyBytes(id))
}

/** One character a byte, see {@link SubkeyId}. */
export function subkeyIdOf(bytes: Uint8Array): SubkeyId {
  return stringOf(bytes, 'latin1')
}

/** The reverse of {@link subkeyIdOf}. */
export function subkeyBytes(id: SubkeyId): Uint8Array {
  return fromString(id, 'latin1')
}

function assertSize(bytes: Uint8Array, maxBytes: number, what: 'key' | 'subkey'): void {
  if (bytes.length > maxBytes) {
    throw new InvalidKeyError(
      `the ${what} takes ${bytes.length} bytes encoded, at most ${maxBytes} are allowed`
    )
  }
}
