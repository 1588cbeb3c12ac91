import { createHash } from 'node:crypto'

/** 2⁴⁸: more bits of a hash than a screen can show, and few enough for an exact number. */
const POINTS = 2 ** 48

/** Returns the position of a peer id or a record key on the ring of keys, from 0 to 1, by Kademlia's SHA-256. */
export function ringPosition(bytes: Uint8Array): number {
  return createHash('sha256').update(bytes).digest().readUIntBE(0, 6) / POINTS
}
