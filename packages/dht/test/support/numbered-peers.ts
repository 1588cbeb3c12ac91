import { createHash } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PeerInfo } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'

/** Peer number n, the same in every run. Nobody has its private key. */
export function peerNumber(n: number): PeerId {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, n)
  return peerIdFromPublicKey(publicKeyFromRaw(bytes))
}

/** Peers 0, 1, 2, …, as a search knows them. */
export function contacts(count: number): PeerInfo[] {
  return Array.from({ length: count }, (_, n) => contactOf(peerNumber(n)))
}

export function contactOf(id: PeerId): PeerInfo {
  return { id, multiaddrs: [] }
}

/** The XOR of two points as one big number: Kademlia's distance, by other means than the source's. */
export function distanceTo(target: Uint8Array, { id }: PeerInfo): bigint {
  const point = createHash('sha256').update(id.toMultihash().bytes).digest()
  return numberOf(point) ^ numberOf(target)
}

/** The contacts in the order of their distance to a point. */
export function nearestFirst<T extends PeerInfo>(target: Uint8Array, peers: Iterable<T>): T[] {
  return [...peers].sort((a, b) => (distanceTo(target, a) < distanceTo(target, b) ? -1 : 1))
}

/** The point of the key space that a record key stands for. */
export function pointOf(key: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(key).digest())
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}
