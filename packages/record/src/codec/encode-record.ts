import { headSize, MAJOR } from '../cbor/format.ts'
import { type CanonicalWriter, writeBytes } from '../cbor/writer.ts'
import { LargeDictionary } from '../dictionary/large-dictionary.ts'
import { type Entry, entrySize } from '../entry.ts'
import { type DHTRecord, RECORD_VERSION } from '../record.ts'
import { ENTRY_FIELDS, RECORD_FIELDS } from './record-format.ts'

/** Encodes a record canonically (R10): equal records have equal bytes. */
export function encodeRecord(record: DHTRecord): Uint8Array {
  return writeBytes((to) => writeRecord(to, record))
}

/** The number of bytes that {@link encodeRecord} gives, without encoding. */
export function encodedSize({ plain, subkeys }: DHTRecord): number {
  const version = 1
  const head = 1
  const field = 1
  let size = version + head

  if (plain !== undefined) {
    size += field + entrySize(plain)
  }

  if (subkeys.size > 0) {
    size += field + headSize(subkeys.size)
  }

  if (subkeys instanceof LargeDictionary) {
    return size + subkeys.sizeBytes
  }

  for (const [id, entry] of subkeys) {
    size += id.length + entrySize(entry)
  }

  return size
}

function writeRecord(to: CanonicalWriter, { plain, subkeys }: DHTRecord): void {
  to.byte(RECORD_VERSION)
  to.head(MAJOR.map, Number(plain !== undefined) + Number(subkeys.size > 0))

  if (plain !== undefined) {
    to.head(MAJOR.uint, RECORD_FIELDS.plain)
    writeEntry(to, plain)
  }

  if (subkeys.size > 0) {
    to.head(MAJOR.uint, RECORD_FIELDS.subkeys)
    to.head(MAJOR.map, subkeys.size)
  }

  for (const [id, entry] of subkeys) {
    to.latin1(id)
    writeEntry(to, entry)
  }
}

function writeEntry(to: CanonicalWriter, { expirationTime, value, signature }: Entry): void {
  to.head(MAJOR.map, 1 + Number(value !== undefined) + Number(signature !== undefined))
  to.head(MAJOR.uint, ENTRY_FIELDS.expirationTime)
  to.number(expirationTime)

  if (value !== undefined) {
    to.head(MAJOR.uint, ENTRY_FIELDS.value)
    to.encoding(value)
  }

  if (signature !== undefined) {
    to.head(MAJOR.uint, ENTRY_FIELDS.signature)
    to.byteString(signature)
  }
}
