import { crc32 } from 'node:zlib'

const SEAL_BYTES = 4

/**
 * Prepends a checksum of the bytes and their key. LevelDB verifies only the data that it reads from its log.
 * Elsewhere a flipped bit could turn a record into another valid one, which would win or lose against those of
 * other replicas.
 */
export function seal(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const result = Buffer.allocUnsafe(SEAL_BYTES + bytes.length)
  result.writeUInt32BE(checksum(key, bytes))
  result.set(bytes, SEAL_BYTES)
  return result
}

/** Returns the sealed bytes; undefined if the seal is broken. Shares the memory. */
export function unseal(key: Uint8Array, given: Uint8Array): Uint8Array | undefined {
  if (given.length < SEAL_BYTES) {
    return undefined
  }

  const seal = new DataView(given.buffer, given.byteOffset).getUint32(0)
  const bytes = given.subarray(SEAL_BYTES)
  return checksum(key, bytes) === seal ? bytes : undefined
}

function checksum(key: Uint8Array, bytes: Uint8Array): number {
  return crc32(bytes, crc32(key))
}
