import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'

/** Turns bytes into text, one character a byte, so that they can be a map's key. */
export function textOf(bytes: Uint8Array): string {
  return stringOf(bytes, 'latin1')
}

/** Turns such text back into bytes. */
export function bytesOf(text: string): Uint8Array {
  return fromString(text, 'latin1')
}
