/*
 * record  = version, map { ? 0: entry, ? 1: map { + subkey: entry } }
 * entry   = map { 0: expirationTime, ? 1: value, ? 2: signature }
 */

/** Numbers of a record's fields. */
export const RECORD_FIELDS = { plain: 0, subkeys: 1 } as const

/** Numbers of an entry's fields. */
export const ENTRY_FIELDS = { expirationTime: 0, value: 1, signature: 2 } as const
