/** Nested arrays, maps and tuples. Bounds the stack that reading takes. */
export const MAX_DEPTH = 128

/**
 * Lists, dictionaries, tuples, texts and byte strings in one value. Making them takes a thousand times as long as
 * sending them.
 */
export const MAX_OBJECTS = 65_536

/** Extension type of a Python tuple. */
export const TUPLE_TYPE = 0x40

/** Extension type of a dictionary with subkeys, which is not a value. */
export const DICTIONARY_TYPE = 0x50

/** Extension type of a MessagePack timestamp, which Hivemind does not use. */
export const TIMESTAMP_TYPE = 0xff
