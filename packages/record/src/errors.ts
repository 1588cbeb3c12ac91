/** The key is too large, or the bytes are not a Waggle record key. */
export class InvalidKeyError extends Error {
  static override readonly name = 'InvalidKeyError'
  override readonly name = 'InvalidKeyError'
}

/** The expiration is not a timestamp, or is too far ahead: often milliseconds instead of seconds. */
export class InvalidExpirationError extends Error {
  static override readonly name = 'InvalidExpirationError'
  override readonly name = 'InvalidExpirationError'
}

/** A value, subkey or record is larger than the limits allow. */
export class RecordTooLargeError extends Error {
  static override readonly name = 'RecordTooLargeError'
  override readonly name = 'RecordTooLargeError'
}

/** The bytes are not a record in canonical form, or have a version that this library can't read. */
export class MalformedRecordError extends Error {
  static override readonly name = 'MalformedRecordError'
  override readonly name = 'MalformedRecordError'
}

/** The record is well-formed, but a rule forbids it here and now. */
export class ValidationError extends Error {
  static override readonly name = 'ValidationError'
  override readonly name = 'ValidationError'
}
