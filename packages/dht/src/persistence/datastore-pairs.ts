import { Key, type Pair } from 'interface-datastore'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { bytesOf, textOf } from '../latin1.ts'
import { sha256 } from '../sha256.ts'

/** Prefix of keys whose last part is the record's name. */
const SPELLED_OUT = '/waggle/record/'

/** Prefix of keys whose last part is the digest of a long name. The name is in the value, before the record. */
const DIGESTS = '/waggle/long-record/'

/** Prefixes of all records. */
export const RECORD_PREFIXES: readonly string[] = [SPELLED_OUT, DIGESTS]

/**
 * Bytes of a name that is spelled out. Peers choose names, and one that a datastore refuses would keep its whole
 * batch off the disk. S3 accepts keys of 1024 bytes, file systems of 255, encrypted ones of 143; these bytes make
 * 128.
 */
const MAX_SPELLED_BYTES = 80

/** Bytes of a name's length. */
const LENGTH_BYTES = 4

/** An encoded record and its name in the store. */
export interface NamedRecord {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Returns the key of a record in a datastore. Such keys are paths of text, but names may have any bytes. */
export function datastoreKeyOf(name: string): Key {
  const bytes = bytesOf(name)
  return isLong(name)
    ? new Key(DIGESTS + stringOf(sha256(bytes), 'base32'))
    : new Key(SPELLED_OUT + stringOf(bytes, 'base32'))
}

/** Returns the pair of a record in a datastore. */
export function pairOf(name: string, bytes: Uint8Array): Pair {
  return { key: datastoreKeyOf(name), value: isLong(name) ? withName(name, bytes) : bytes }
}

/** Returns the record in a pair; undefined if damage has destroyed its name. Shares the memory. */
export function recordIn(pair: Pair): NamedRecord | undefined {
  return pair.key.toString().startsWith(DIGESTS) ? longRecordIn(pair) : spelledRecordIn(pair)
}

function spelledRecordIn({ key, value }: Pair): NamedRecord | undefined {
  try {
    return { name: textOf(fromString(key.baseNamespace(), 'base32')), bytes: value }
  } catch {
    return undefined
  }
}

function longRecordIn({ key, value }: Pair): NamedRecord | undefined {
  if (value.length < LENGTH_BYTES) {
    return undefined
  }

  const end = LENGTH_BYTES + new DataView(value.buffer, value.byteOffset).getUint32(0)
  const name = textOf(value.subarray(LENGTH_BYTES, end))
  return datastoreKeyOf(name).toString() === key.toString()
    ? { name, bytes: value.subarray(end) }
    : undefined
}

function withName(name: string, bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, name.length)
  return concat([length, bytesOf(name), bytes])
}

function isLong(name: string): boolean {
  return name.length > MAX_SPELLED_BYTES
}
