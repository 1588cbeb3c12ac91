import { isUtf8 } from 'node:buffer'

/** Decodes UTF-8, with a byte order mark if there is one; undefined for other bytes, which text would falsify. */
export function utf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
    : undefined
}
