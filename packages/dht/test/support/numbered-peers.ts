import { createHash } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PeerInfo } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'

/** Returns peer number n, the same in every run. Its private key does not exist. */
export function peerNumber(n: number): PeerId {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, n)
  return peerIdFromPublicKey(publicKeyFromRaw(bytes))
}

/** Lists peers 0, 1, 2, … as contacts of a search. */
export function contacts(count: number): PeerInfo[] {
  return Array.from({ length: count }, (_, n) => contactOf(peerNumber(n)))
}

export function contactOf(id: PeerId): PeerInfo {
  return { id, multiaddrs: [] }
}

/** Computes Kademlia's distance, the XOR of two points, as one big number, unlike the source. */
export function distanceTo(target: Uint8Array, { id }: PeerInfo): bigint {
  const point = createHash('sha256').update(id.toMultihash().bytes).digest()
  return numberOf(point) ^ numberOf(target)
}

/** Sorts contacts by their distance to a point. */
export function nearestFirst<T extends PeerInfo>(target: Uint8Array, peers: Iterable<T>): T[] {
  return [...peers].sort((a, b) => (distanceTo(target, a) < distanceTo(target, b) ? -1 : 1))
}

/** Returns the point of a record key in the key space. */
export function pointOf(key: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(key).digest())
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}
