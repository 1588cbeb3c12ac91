import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'

/** Bytes beyond which the library is faster. A function call takes only so many arguments. */
const MAX_ARGUMENTS = 256

/** Turns each byte into one character (latin1), so that a Map can find it. Runs several times per operation. */
export function textOf(bytes: Uint8Array): string {
  return bytes.length <= MAX_ARGUMENTS
    ? Reflect.apply(String.fromCharCode, undefined, bytes)
    : stringOf(bytes, 'latin1')
}

/** Turns the text back into its bytes. */
export function bytesOf(text: string): Uint8Array {
  return fromString(text, 'latin1')
}
