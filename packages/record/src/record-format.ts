/*
 * record  = version, map { ? 0: entry, ? 1: map { + subkey: entry } }
 * entry   = map { 0: expirationTime, ? 1: value, ? 2: signature }
 */

/** The first byte of every record. */
export const RECORD_VERSION = 1

/** The numbers of a record's fields. */
export const RECORD_FIELDS = { plain: 0, subkeys: 1 } as const

/** The numbers of an entry's fields. */
export const ENTRY_FIELDS = { expirationTime: 0, value: 1, signature: 2 } as const

/** The size of an Ed25519 signature (RFC 8032 §5.1.6), the only kind that owners make. */
export const SIGNATURE_BYTES = 64
