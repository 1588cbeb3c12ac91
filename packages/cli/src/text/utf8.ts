import { isUtf8 } from 'node:buffer'

/** Decodes UTF-8, with or without a byte order mark; undefined for other bytes, which text could not represent. */
export function utf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
    : undefined
}
