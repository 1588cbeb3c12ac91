import { crc32 } from 'node:zlib'

const SEAL_BYTES = 4

/**
 * Bytes with a checksum over them and their key in front. LevelDB checks what it reads from its log
 * only; elsewhere a bit that flips could give another value, as good a record as the true one, which
 * would then win or lose against those of other replicas.
 */
export function seal(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const result = Buffer.allocUnsafe(SEAL_BYTES + bytes.length)
  result.writeUInt32BE(checksum(key, bytes))
  result.set(bytes, SEAL_BYTES)
  return result
}

/** What was sealed; undefined if it is not what it was. Shares the memory. */
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
