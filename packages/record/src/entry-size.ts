import { headSize, numberSize } from './cbor.ts'
import type { Entry } from './interface.ts'

/** How many bytes an entry takes in a record's encoding. */
export function entrySize({ expirationTime, value, signature }: Entry): number {
  const head = 1
  const field = 1
  let size = head + field + numberSize(expirationTime)

  if (value !== undefined) {
    size += field + value.length
  }

  if (signature !== undefined) {
    size += field + headSize(signature.length) + signature.length
  }

  return size
}
