import { ByteWriter } from './bytes.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'

/*
 * protobuf encoding: a message is a list of fields; a field is a varint of (number << 3 | type), and
 * a value: a varint (type 0), 8 bytes (1), bytes after their length (2), or 4 bytes (5).
 */

/** One field of a protobuf message, uninterpreted. */
export interface ProtobufField {
  readonly number: number
  readonly isVarint: boolean

  /** The value of a varint; 0 for all other types. */
  readonly value: number

  /** A view of a value of type bytes; undefined for all other types. */
  readonly bytes: Uint8Array | undefined

  /** A view of the whole field. */
  readonly raw: Uint8Array
}

/** Fields of one message, on one level. libp2p's messages have some hundred at most. */
export const MAX_PROTOBUF_FIELDS = 1024

const MAX_VARINT_BYTES = 10
const [VARINT, FIXED_64, BYTES, FIXED_32] = [0, 1, 2, 5]

/**
 * Lists the fields of a message without copying any of them.
 *
 * @throws ProtocolViolationError when the bytes are not a protobuf message, or have too many fields
 */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField, void> {
  const cursor = { bytes, at: 0 }

  for (let count = 0; cursor.at < bytes.length; count++) {
    if (count === MAX_PROTOBUF_FIELDS) {
      throw new ProtocolViolationError(`a message has more than ${MAX_PROTOBUF_FIELDS} fields`)
    }

    yield nextField(cursor)
  }
}

/** Appends a field whose value is bytes. */
export function writeBytesField(to: ByteWriter, number: number, bytes: Uint8Array): void {
  to.varint((number << 3) | BYTES)
  to.byteString(bytes)
}

/** Appends a field whose value is a varint below 2³². */
export function writeVarintField(to: ByteWriter, number: number, value: number): void {
  to.varint((number << 3) | VARINT)
  to.varint(value)
}

/** Maps the bytes of a field to others, or to none if the field is to be left out. */
export type FieldChange = (bytes: Uint8Array) => Uint8Array | undefined

/** A field that is a varint. */
export const AS_VARINT = 'varint'

/** Rule for a field of bytes that are not a message. */
export const AS_BYTES: FieldChange = (bytes) => bytes

/** The fields of a message, by their numbers. */
export type FieldRules = Readonly<Record<number, FieldChange | typeof AS_VARINT>>

/**
 * Rewrites a message with only the fields that the rules name. libp2p's decoders use a field's number and ignore
 * its type, so a field of another type could hide others from a decoder that checks types.
 *
 * @throws ProtocolViolationError for a field of another type
 */
export function fieldsBy(message: Uint8Array, rules: FieldRules): Uint8Array {
  const writer = new ByteWriter()

  for (const field of protobufFields(message)) {
    const rule = rules[field.number]

    if (rule === AS_VARINT) {
      assertVarint(field)
      writer.bytes(field.raw)
    } else if (rule !== undefined) {
      const changed = rule(bytesOf(field))
      changed && writeBytesField(writer, field.number, changed)
    }
  }

  return writer.take()
}

/** @throws ProtocolViolationError when it is of another type */
export function assertVarint({ isVarint, number }: ProtobufField): void {
  if (!isVarint) {
    throw new ProtocolViolationError(`field ${number} of a message is not a varint`)
  }
}

/**
 * Returns the bytes of a field.
 *
 * @throws ProtocolViolationError when it is of another type
 */
export function bytesOf({ bytes, number }: ProtobufField): Uint8Array {
  if (bytes === undefined) {
    throw new ProtocolViolationError(`field ${number} of a message has no bytes`)
  }

  return bytes
}

/** Keeps `count` fields of at most `maxBytes` each. */
export function keepUpTo(count: number, maxBytes: number): FieldChange {
  let kept = 0
  return (bytes) => (bytes.length <= maxBytes && kept++ < count ? bytes : undefined)
}

/** The value of a varint field; undefined if it is absent. The last one counts. */
export function varintIn(message: Uint8Array, number: number): number | undefined {
  let found: number | undefined

  for (const field of protobufFields(message)) {
    found = field.number === number && field.isVarint ? field.value : found
  }

  return found
}

interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

function nextField(cursor: Cursor): ProtobufField {
  const start = cursor.at
  const tag = varint(cursor)
  const number = Math.floor(tag / 8)
  let value = 0
  let bytes: Uint8Array | undefined

  switch (tag % 8) {
    case VARINT:
      value = varint(cursor)
      break
    case FIXED_64:
      take(cursor, 8)
      break
    case BYTES:
      bytes = take(cursor, varint(cursor))
      break
    case FIXED_32:
      take(cursor, 4)
      break
    default:
      throw new ProtocolViolationError('a field of a message is of no known type')
  }

  const isVarint = tag % 8 === VARINT
  return { number, isVarint, value, bytes, raw: cursor.bytes.subarray(start, cursor.at) }
}

/** Reads a varint. Exact below 2⁵³, which covers all fields in use. */
function varint(cursor: Cursor): number {
  let value = 0

  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = cursor.bytes[cursor.at++]

    if (byte === undefined) {
      throw new ProtocolViolationError('a message is cut short')
    }

    value += (byte & 0x7f) * 2 ** (7 * i)

    if (byte < 0x80) {
      return value
    }
  }

  throw new ProtocolViolationError('a number of a message is too long')
}

function take(cursor: Cursor, length: number): Uint8Array {
  const end = cursor.at + length

  if (end > cursor.bytes.length) {
    throw new ProtocolViolationError('a field of a message is cut short')
  }

  const bytes = cursor.bytes.subarray(cursor.at, end)
  cursor.at = end
  return bytes
}
