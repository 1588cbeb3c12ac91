import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { contactOf, type NodeContact } from '../../src/peers/node-contact.ts'
import { bytesOfHex } from './hex.ts'

/** A node of that id. Each has another peer id. */
export async function nodeContact(id: Uint8Array | string): Promise<NodeContact> {
  const { publicKey } = await generateKeyPair('Ed25519')
  return contactOf(peerIdFromPublicKey(publicKey), typeof id === 'string' ? bytesOfHex(id) : id)
}

/** An id that begins with a byte and is zero otherwise, up to its last one. */
export function idFrom(first: number, last = 0): Uint8Array {
  const id = new Uint8Array(20)
  id[0] = first
  id[19] = last
  return id
}
