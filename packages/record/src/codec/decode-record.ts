import { CanonicalReader } from '../cbor/reader.ts'
import type { Entry } from '../entry.ts'
import { MalformedRecordError, RecordTooLargeError } from '../errors.ts'
import { isSpared } from '../join.ts'
import type { Limits } from '../limits.ts'
import { SIGNATURE_BYTES } from '../owner/ed25519.ts'
import { type DHTRecord, NO_SUBKEYS, RECORD_VERSION, record, type Subkeys } from '../record.ts'
import { type SubkeyId, subkeyIdOf } from '../values/key.ts'
import { skipName, skipValue } from '../values/value-reader.ts'
import { ENTRY_FIELDS, RECORD_FIELDS } from './record-format.ts'

/**
 * Decodes a record. The entries' values are views of `bytes`, checked but not yet decoded. So decoding
 * takes little memory whatever a peer sends, if `maxSubkeys` bounds the dictionary.
 *
 * @throws MalformedRecordError for any bytes that {@link encodeRecord} does not give
 * @throws RecordTooLargeError beyond `maxSubkeys`, before it reads any of them
 */
export function decodeRecord(
  bytes: Uint8Array,
  { maxSubkeys = Number.POSITIVE_INFINITY }: Partial<Pick<Limits, 'maxSubkeys'>> = {}
): DHTRecord {
  assertVersion(bytes[0])
  const from = new CanonicalReader(bytes, 1)
  let plain: Entry | undefined
  let subkeys: Subkeys = NO_SUBKEYS
  let field = -1

  for (let left = from.mapHead('a record'); left > 0; left--) {
    field = nextField(from, field)

    if (field === RECORD_FIELDS.plain) {
      plain = readEntry(from)
    } else if (field === RECORD_FIELDS.subkeys) {
      subkeys = readSubkeys(from, plain, maxSubkeys)
    } else {
      throw new MalformedRecordError(`a record has no field ${field}`)
    }
  }

  from.end()
  return record(plain, subkeys)
}

function assertVersion(version: number | undefined): void {
  if (version !== RECORD_VERSION) {
    throw new MalformedRecordError(
      version === undefined
        ? 'empty bytes are not a record'
        : `the record's version is ${version}, this library reads ${RECORD_VERSION}`
    )
  }
}

/** Reads the number of the next field of a map. Numbers must ascend. */
function nextField(from: CanonicalReader, previous: number): number {
  const field = from.uint('the number of a field')

  if (field <= previous) {
    throw new MalformedRecordError('fields are repeated or out of order')
  }

  return field
}

function readSubkeys(from: CanonicalReader, plain: Entry | undefined, maxSubkeys: number): Subkeys {
  const count = readCount(from, maxSubkeys)
  const erasedUntil = plain?.expirationTime ?? -1
  const subkeys = new Map<SubkeyId, Entry>()
  let previous: SubkeyId = ''

  for (let i = 0; i < count; i++) {
    const id = readSubkey(from, previous)
    const entry = readEntry(from)

    if (!isSpared(id, entry, erasedUntil)) {
      throw new MalformedRecordError('a subkey expires no later than the plain entry (R4)')
    }

    subkeys.set(id, entry)
    previous = id
  }

  return subkeys
}

function readCount(from: CanonicalReader, maxSubkeys: number): number {
  const count = from.mapHead('the subkeys')

  if (count === 0) {
    throw new MalformedRecordError('a dictionary without subkeys is left out')
  }

  if (count > maxSubkeys) {
    throw new RecordTooLargeError(
      `the record has ${count} subkeys, at most ${maxSubkeys} are allowed`
    )
  }

  return count
}

/** Reads the next subkey. Subkeys ascend by their bytes, as their ids do, and have at least one byte. */
function readSubkey(from: CanonicalReader, previous: SubkeyId): SubkeyId {
  const start = from.position
  skipName(from)
  const id = subkeyIdOf(from.since(start))

  if (id <= previous) {
    throw new MalformedRecordError('subkeys are repeated or out of order')
  }

  return id
}

function readEntry(from: CanonicalReader): Entry {
  let expirationTime: number | undefined
  let value: Uint8Array | undefined
  let signature: Uint8Array | undefined
  let field = -1

  for (let left = from.mapHead('an entry'); left > 0; left--) {
    field = nextField(from, field)

    if (field === ENTRY_FIELDS.expirationTime) {
      expirationTime = readExpirationTime(from)
    } else if (field === ENTRY_FIELDS.value) {
      value = readValueBytes(from)
    } else if (field === ENTRY_FIELDS.signature) {
      signature = readSignature(from)
    } else {
      throw new MalformedRecordError(`an entry has no field ${field}`)
    }
  }

  if (expirationTime === undefined) {
    throw new MalformedRecordError('an entry has no expirationTime')
  }

  const entry = value === undefined ? { expirationTime } : { expirationTime, value }
  return signature === undefined ? entry : { ...entry, signature }
}

function readExpirationTime(from: CanonicalReader): number {
  const time = from.number('an expirationTime')

  if (!Number.isFinite(time) || time < 0 || Object.is(time, -0)) {
    throw new MalformedRecordError(`expirationTime ${time} is not a timestamp`)
  }

  return time
}

function readValueBytes(from: CanonicalReader): Uint8Array {
  const start = from.position
  skipValue(from)
  return from.since(start)
}

function readSignature(from: CanonicalReader): Uint8Array {
  const signature = from.byteString('a signature')

  if (signature.length !== SIGNATURE_BYTES) {
    throw new MalformedRecordError(
      `a signature is ${signature.length} bytes, not ${SIGNATURE_BYTES}`
    )
  }

  return signature
}
