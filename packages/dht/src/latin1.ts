import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'

/** Bytes beyond which the library is faster. A function call takes a limited number of arguments. */
const MAX_ARGUMENTS = 256

/** Converts each byte to one character (Latin-1), for a Map's key. Runs several times per operation. */
export function textOf(bytes: Uint8Array): string {
  return bytes.length <= MAX_ARGUMENTS
    ? Reflect.apply(String.fromCharCode, undefined, bytes)
    : stringOf(bytes, 'latin1')
}

/** Converts the text back to its bytes. */
export function bytesOf(text: string): Uint8Array {
  return fromString(text, 'latin1')
}
