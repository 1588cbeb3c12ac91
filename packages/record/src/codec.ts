import { encode } from 'cborg'
import { concat } from 'uint8arrays/concat'
import { assertAscending, CanonicalReader, mapHead } from './cbor.ts'
import { MalformedRecordError, RecordTooLargeError } from './errors.ts'
import type { DHTRecord, Entry, Limits, SubkeyId } from './interface.ts'
import { subkeyBytes, subkeyIdOf } from './key.ts'
import { record } from './record.ts'
import { decodeName } from './value.ts'

/*
 * record  = version, map { ? 0: entry, ? 1: map { + subkey: entry } }
 * entry   = map { 0: expirationTime, ? 1: value, ? 2: signature }
 */

/** The first byte of every record. */
export const RECORD_VERSION = 1

const RECORD_FIELDS = { plain: 0, subkeys: 1 }
const ENTRY_FIELDS = { expirationTime: 0, value: 1, signature: 2 }

/** The size of an Ed25519 signature (RFC 8032 §5.1.6), the only kind that owners make. */
const SIGNATURE_BYTES = 64

/** The canonical bytes of a record (R10): equal records have equal bytes. */
export function encodeRecord(from: DHTRecord): Uint8Array {
  const { plain, subkeys } = from
  const chunks = [
    Uint8Array.of(RECORD_VERSION),
    mapHead(Number(plain !== undefined) + Number(subkeys.size > 0))
  ]

  if (plain !== undefined) {
    chunks.push(encode(RECORD_FIELDS.plain), ...encodeEntry(plain))
  }

  if (subkeys.size > 0) {
    chunks.push(encode(RECORD_FIELDS.subkeys), mapHead(subkeys.size))

    for (const [id, entry] of subkeys) {
      chunks.push(subkeyBytes(id), ...encodeEntry(entry))
    }
  }

  return concat(chunks)
}

/**
 * Reads a record. The entries' values are views of `bytes`, checked but not yet decoded: reading
 * takes little memory whatever a peer sends, if `maxSubkeys` bounds the dictionary.
 *
 * @throws MalformedRecordError for anything but what {@link encodeRecord} gives for some record
 * @throws RecordTooLargeError beyond `maxSubkeys`, before it reads any of them
 */
export function decodeRecord(
  bytes: Uint8Array,
  { maxSubkeys = Number.POSITIVE_INFINITY }: Partial<Pick<Limits, 'maxSubkeys'>> = {}
): DHTRecord {
  const version = bytes[0]

  if (version !== RECORD_VERSION) {
    throw new MalformedRecordError(
      version === undefined
        ? 'a record can not be empty bytes'
        : `the record's version is ${version}, this library reads ${RECORD_VERSION}`
    )
  }

  const reader = new CanonicalReader(bytes.subarray(1))
  let plain: Entry | undefined
  let subkeys: ReadonlyMap<SubkeyId, Entry> = new Map()

  for (const field of fields(reader, 'a record')) {
    if (field === RECORD_FIELDS.plain) {
      plain = readEntry(reader)
    } else if (field === RECORD_FIELDS.subkeys) {
      subkeys = readSubkeys(reader, plain, maxSubkeys)
    } else {
      throw new MalformedRecordError(`a record has no field ${field}`)
    }
  }

  if (!reader.done()) {
    throw new MalformedRecordError('bytes after the end of the record')
  }

  return record(plain, subkeys)
}

/** How many bytes {@link encodeRecord} gives, without making them. */
export function encodedSize({ plain, subkeys }: DHTRecord): number {
  const version = 1
  const field = 1
  let size = version + mapHead(0).length

  if (plain !== undefined) {
    size += field + entrySize(plain)
  }

  if (subkeys.size > 0) {
    size += field + mapHead(subkeys.size).length
  }

  for (const [id, entry] of subkeys) {
    size += id.length + entrySize(entry)
  }

  return size
}

function entrySize({ expirationTime, value, signature }: Entry): number {
  const head = 1
  const field = 1
  const signatureHead = 2
  return (
    head +
    field +
    numberSize(expirationTime) +
    (value === undefined ? 0 : field + value.length) +
    (signature === undefined ? 0 : field + signatureHead + signature.length)
  )
}

function numberSize(n: number): number {
  const isDouble = Math.fround(n) !== n && !Number.isInteger(n)
  return isDouble ? 9 : encode(n).length
}

function encodeEntry({ expirationTime, value, signature }: Entry): Uint8Array[] {
  const chunks = [
    mapHead(1 + Number(value !== undefined) + Number(signature !== undefined)),
    encode(ENTRY_FIELDS.expirationTime),
    encode(expirationTime)
  ]

  if (value !== undefined) {
    chunks.push(encode(ENTRY_FIELDS.value), value)
  }

  if (signature !== undefined) {
    chunks.push(encode(ENTRY_FIELDS.signature), encode(signature))
  }

  return chunks
}

function readSubkeys(
  reader: CanonicalReader,
  plain: Entry | undefined,
  maxSubkeys: number
): ReadonlyMap<SubkeyId, Entry> {
  const count = reader.mapHead('the subkeys')

  if (count === 0) {
    throw new MalformedRecordError('a dictionary without subkeys is left out')
  }

  if (count > maxSubkeys) {
    throw new RecordTooLargeError(
      `the record has ${count} subkeys, at most ${maxSubkeys} are allowed`
    )
  }

  const subkeys = new Map<SubkeyId, Entry>()
  let previous: Uint8Array | undefined

  for (let i = 0; i < count; i++) {
    const bytes = reader.value()
    assertAscending(previous, bytes)
    decodeName(bytes)
    const entry = readEntry(reader)

    if (plain !== undefined && entry.expirationTime <= plain.expirationTime) {
      throw new MalformedRecordError('a subkey expires no later than the plain entry (R4)')
    }

    subkeys.set(subkeyIdOf(bytes), entry)
    previous = bytes
  }

  return subkeys
}

function readEntry(reader: CanonicalReader): Entry {
  const entry: { expirationTime?: number; value?: Uint8Array; signature?: Uint8Array } = {}

  for (const field of fields(reader, 'an entry')) {
    if (field === ENTRY_FIELDS.expirationTime) {
      entry.expirationTime = readExpirationTime(reader)
    } else if (field === ENTRY_FIELDS.value) {
      entry.value = reader.value()
    } else if (field === ENTRY_FIELDS.signature) {
      entry.signature = readSignature(reader)
    } else {
      throw new MalformedRecordError(`an entry has no field ${field}`)
    }
  }

  return { ...entry, expirationTime: required(entry.expirationTime) }
}

function required(expirationTime: number | undefined): number {
  if (expirationTime === undefined) {
    throw new MalformedRecordError('an entry has no expirationTime')
  }

  return expirationTime
}

function readExpirationTime(reader: CanonicalReader): number {
  const time = reader.number('an expirationTime')

  if (!Number.isFinite(time) || time < 0 || Object.is(time, -0)) {
    throw new MalformedRecordError(`expirationTime ${time} is not a moment`)
  }

  return time
}

function readSignature(reader: CanonicalReader): Uint8Array {
  const signature = reader.byteString('a signature')

  if (signature.length !== SIGNATURE_BYTES) {
    throw new MalformedRecordError(
      `a signature is ${signature.length} bytes, not ${SIGNATURE_BYTES}`
    )
  }

  return signature
}

/** The numbers of a map's fields, which ascend; the caller reads each field's content. */
function* fields(reader: CanonicalReader, what: string): Generator<number> {
  const count = reader.mapHead(what)
  let previous = -1

  for (let i = 0; i < count; i++) {
    const field = reader.uint('the number of a field')

    if (field <= previous) {
      throw new MalformedRecordError('fields are repeated or out of order')
    }

    yield field
    previous = field
  }
}
