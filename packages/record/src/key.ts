import { fromString } from 'uint8arrays/from-string'
import { written } from './cbor-writer.ts'
import { DEFAULT_LIMITS, NAMESPACE } from './constants.ts'
import { InvalidKeyError } from './errors.ts'
import type { Key, Limits, Subkey, SubkeyId } from './interface.ts'
import { assertName, decodeName } from './value.ts'
import { writeValue } from './value-writer.ts'

/** With far more arguments a call would overflow the stack. */
const MOST_ARGUMENTS = 4096

/** Where the bytes of subkeys are while they are read: making an array for each takes longer. */
const ROOM = new Uint8Array(1024)

const PREFIX = fromString(`/${NAMESPACE}/`)

/**
 * The key under which kad-dht and Waggle know a record: `/waggle/` and the key's canonical bytes (N1).
 *
 * @throws TypeError when the key holds what R11 does not allow
 * @throws InvalidKeyError beyond `limits.maxKeyBytes`
 */
export function recordKey(key: Key, limits: Limits = DEFAULT_LIMITS): Uint8Array {
  const bytes = written((to) => {
    to.encoding(PREFIX)
    writeValue(to, key, 'key')
  })

  assertSize(bytes.length - PREFIX.length, limits.maxKeyBytes, 'key')
  return bytes
}

/**
 * The key that a record key stands for.
 *
 * @throws InvalidKeyError when the bytes are not what {@link recordKey} makes
 */
export function parseRecordKey(bytes: Uint8Array, limits: Limits = DEFAULT_LIMITS): Key {
  return parsed(bytes, limits, decodeName)
}

/** Checks what {@link parseRecordKey} reads, without building it. */
export function assertRecordKey(bytes: Uint8Array, limits: Limits): void {
  parsed(bytes, limits, assertName)
}

function parsed<T>(
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

/** The key of a record key that has been checked. */
export function decodeKey(bytes: Uint8Array): Key {
  return decodeName(bytes, PREFIX.length)
}

/** The key's canonical bytes, without the namespace: a view. */
export function keyBytes(recordKey: Uint8Array): Uint8Array {
  return recordKey.subarray(PREFIX.length)
}

/** Whether the bytes are in Waggle's namespace; they may still not be a valid key. */
export function isRecordKey(bytes: Uint8Array): boolean {
  for (let i = 0; i < PREFIX.length; i++) {
    if (bytes[i] !== PREFIX[i]) {
      return false
    }
  }

  return true
}

/**
 * The name of a subkey inside a record.
 *
 * @throws TypeError when the subkey holds what R11 does not allow
 * @throws InvalidKeyError beyond `limits.maxSubkeyBytes`
 */
export function subkeyId(subkey: Subkey, limits: Limits = DEFAULT_LIMITS): SubkeyId {
  const bytes = written((to) => writeValue(to, subkey, 'subkey'))
  assertSize(bytes.length, limits.maxSubkeyBytes, 'subkey')
  return subkeyIdOf(bytes)
}

/** The subkey that such a name stands for. */
export function parseSubkeyId(id: SubkeyId): Subkey {
  return decodeName(subkeyBytes(id))
}

/** One character a byte, see {@link SubkeyId}. */
export function subkeyIdOf(bytes: Uint8Array): SubkeyId {
  if (bytes.length <= MOST_ARGUMENTS) {
    return characters(bytes)
  }

  let id = ''

  for (let at = 0; at < bytes.length; at += MOST_ARGUMENTS) {
    id += characters(bytes.subarray(at, at + MOST_ARGUMENTS))
  }

  return id
}

function characters(codes: ArrayLike<number>): string {
  return String.fromCharCode.apply(null, codes as number[])
}

/** The reverse of {@link subkeyIdOf}; good until the next call. */
function subkeyBytes(id: SubkeyId): Uint8Array {
  const room = id.length <= ROOM.length ? ROOM : new Uint8Array(id.length)

  for (let i = 0; i < id.length; i++) {
    room[i] = id.charCodeAt(i)
  }

  return room.subarray(0, id.length)
}

function assertSize(size: number, maxBytes: number, what: 'key' | 'subkey'): void {
  if (size > maxBytes) {
    throw new InvalidKeyError(
      `the ${what} takes ${size} bytes encoded, at most ${maxBytes} are allowed`
    )
  }
}
