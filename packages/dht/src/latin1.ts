import { toString as stringOf } from 'uint8arrays/to-string'

/** More are slower one by one, and a call takes only so many arguments. */
const MAX_ARGUMENTS = 256

/** Each byte as a character (latin1), so that a Map can find it. Done several times in each operation. */
export function textOf(bytes: Uint8Array): string {
  return bytes.length <= MAX_ARGUMENTS
    ? Reflect.apply(String.fromCharCode, undefined, bytes)
    : stringOf(bytes, 'latin1')
}
