import { createHash } from 'node:crypto'

/** 2⁴⁸: as many of a hash's bits as a number can hold exactly, and more than a screen can show. */
const POINTS = 2 ** 48

/** Where a peer id or a record key is on the ring of keys, from 0 to 1: by the SHA-256 that Kademlia goes by. */
export function ringPosition(bytes: Uint8Array): number {
  return createHash('sha256').update(bytes).digest().readUIntBE(0, 6) / POINTS
}
