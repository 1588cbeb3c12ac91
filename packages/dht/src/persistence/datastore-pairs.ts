import { Key, type Pair } from 'interface-datastore'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { sha256 } from '../peers/key-space.ts'

/** Where the last part of a key is the record's name. */
const SPELLED_OUT = '/waggle/record/'

/** Where it is the digest of a long name. The name itself is in the value, before the record. */
const DIGESTS = '/waggle/long-record/'

/** Where all records are. */
export const RECORD_PREFIXES: readonly string[] = [SPELLED_OUT, DIGESTS]

/**
 * Peers choose names, and one that a datastore can't take would keep all others off it, too. S3
 * takes keys of 1024 bytes, file systems of 255, encrypted ones of 143; these bytes make 128.
 */
const MAX_SPELLED_BYTES = 80

/** The size of the number that says how long a name is. */
const LENGTH_BYTES = 4

/** A record, as the store knows it. */
export interface NamedRecord {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Under which key a datastore has a record: such keys are paths of text, and names any bytes. */
export function keyOf(name: string): Key {
  const bytes = bytesOf(name)
  return isLong(name)
    ? new Key(DIGESTS + stringOf(sha256(bytes), 'base32'))
    : new Key(SPELLED_OUT + stringOf(bytes, 'base32'))
}

/** What a datastore has under a record's key. */
export function pairOf(name: string, bytes: Uint8Array): Pair {
  return { key: keyOf(name), value: isLong(name) ? withName(name, bytes) : bytes }
}

/** The record in a pair; undefined if that is damaged such that it has no name. Shares the memory. */
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
  return keyOf(name).toString() === key.toString()
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

function bytesOf(name: string): Uint8Array {
  return fromString(name, 'latin1')
}

function textOf(bytes: Uint8Array): string {
  return stringOf(bytes, 'latin1')
}
