import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'

export function hexOf(bytes: Uint8Array): string {
  return stringOf(bytes, 'hex')
}

export function bytesOfHex(hex: string): Uint8Array {
  return fromString(hex, 'hex')
}
