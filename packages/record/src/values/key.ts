import { fromString } from 'uint8arrays/from-string'
import { writeBytes } from '../cbor/writer.ts'
import { InvalidKeyError } from '../errors.ts'
import { DEFAULT_LIMITS, type Limits } from '../limits.ts'
import type { Key, Subkey } from './value.ts'
import { assertName, decodeName } from './value-codec.ts'
import { writeValue } from './value-writer.ts'

/**
 * A subkey's canonical bytes as a string with one character for each byte (Latin-1), so that it can
 * be a Map's key and sorts as the bytes do. `subkeyId` makes it, `parseSubkeyId` reads it.
 */
export type SubkeyId = string

/** The namespace of records in kad-dht: `/waggle/<key bytes>` (N1). */
export const NAMESPACE = 'waggle'

const PREFIX = fromString(`/${NAMESPACE}/`)

/** Arguments of one call. Far more would overflow the stack. */
const MAX_ARGUMENTS = 4096

/** A buffer for the bytes of a subkey that is being read, because allocating one for each is slower. */
const scratch = new Uint8Array(1024)

/**
 * Makes the key under which kad-dht and Waggle know a record: `/waggle/` and the key's canonical
 * bytes (N1).
 *
 * @throws TypeError if the key holds something that R11 does not allow
 * @throws InvalidKeyError beyond `limits.maxKeyBytes`
 */
export function recordKey(key: Key, limits: Limits = DEFAULT_LIMITS): Uint8Array {
  const bytes = writeBytes((to) => {
    to.encoding(PREFIX)
    writeValue(to, key, 'key')
  })

  assertSize(bytes.length - PREFIX.length, limits.maxKeyBytes, 'key')
  return bytes
}

/**
 * Decodes the key of a record key.
 *
 * @throws InvalidKeyError for bytes that {@link recordKey} does not make
 */
export function parseRecordKey(bytes: Uint8Array, limits: Limits = DEFAULT_LIMITS): Key {
  return readKey(bytes, limits, decodeName)
}

/**
 * Checks what {@link parseRecordKey} reads, without building it.
 *
 * @throws InvalidKeyError
 */
export function assertRecordKey(bytes: Uint8Array, limits: Limits): void {
  readKey(bytes, limits, assertName)
}

/** Decodes the key of a record key that has been checked. */
export function decodeKey(bytes: Uint8Array): Key {
  return decodeName(bytes, PREFIX.length)
}

/** The key's canonical bytes, without the namespace: a view. */
export function keyBytes(recordKey: Uint8Array): Uint8Array {
  return recordKey.subarray(PREFIX.length)
}

/** Whether the bytes are in Waggle's namespace. They may still not be a valid key. */
export function isRecordKey(bytes: Uint8Array): boolean {
  for (let i = 0; i < PREFIX.length; i++) {
    if (bytes[i] !== PREFIX[i]) {
      return false
    }
  }

  return true
}

/**
 * Makes the id of a subkey inside a record.
 *
 * @throws TypeError if the subkey holds something that R11 does not allow
 * @throws InvalidKeyError beyond `limits.maxSubkeyBytes`
 */
export function subkeyId(subkey: Subkey, limits: Limits = DEFAULT_LIMITS): SubkeyId {
  const bytes = writeBytes((to) => writeValue(to, subkey, 'subkey'))
  assertSize(bytes.length, limits.maxSubkeyBytes, 'subkey')
  return subkeyIdOf(bytes)
}

/** Decodes the subkey of a subkey id. */
export function parseSubkeyId(id: SubkeyId): Subkey {
  return decodeName(subkeyBytes(id))
}

/** Converts a subkey's canonical bytes to its id. */
export function subkeyIdOf(bytes: Uint8Array): SubkeyId {
  if (bytes.length <= MAX_ARGUMENTS) {
    return characters(bytes)
  }

  let id = ''

  for (let at = 0; at < bytes.length; at += MAX_ARGUMENTS) {
    id += characters(bytes.subarray(at, at + MAX_ARGUMENTS))
  }

  return id
}

function readKey<T>(
  bytes: Uint8Array,
  limits: Limits,
  read: (bytes: Uint8Array, start: number) => T
): T {
  if (!isRecordKey(bytes)) {
    throw new InvalidKeyError(`a record key begins with /${NAMESPACE}/`)
  }

  assertSize(bytes.length - PREFIX.length, limits.maxKeyBytes, 'key')

  try {
    return read(bytes, PREFIX.length)
  } catch (cause) {
    throw new InvalidKeyError(`the bytes after /${NAMESPACE}/ are not a key`, { cause })
  }
}

function characters(codes: ArrayLike<number>): string {
  return String.fromCharCode.apply(null, codes as number[])
}

/** Converts an id back to bytes, which the next call may overwrite. */
function subkeyBytes(id: SubkeyId): Uint8Array {
  const bytes = id.length <= scratch.length ? scratch : new Uint8Array(id.length)

  for (let i = 0; i < id.length; i++) {
    bytes[i] = id.charCodeAt(i)
  }

  return bytes.subarray(0, id.length)
}

function assertSize(size: number, maxBytes: number, what: 'key' | 'subkey'): void {
  if (size > maxBytes) {
    throw new InvalidKeyError(
      `the ${what} takes ${size} bytes encoded, at most ${maxBytes} are allowed`
    )
  }
}
