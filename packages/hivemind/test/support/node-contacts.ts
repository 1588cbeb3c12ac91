import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { contactOf, type NodeContact } from '../../src/peers/node-contact.ts'
import { bytesOfHex } from './hex.ts'

/** Makes a contact with this node id. Each has another peer id. */
export async function nodeContact(id: Uint8Array | string): Promise<NodeContact> {
  const { publicKey } = await generateKeyPair('Ed25519')
  return contactOf(peerIdFromPublicKey(publicKey), typeof id === 'string' ? bytesOfHex(id) : id)
}

/** Makes an id from its first and its last byte; the others are zero. */
export function idFrom(first: number, last = 0): Uint8Array {
  const id = new Uint8Array(20)
  id[0] = first
  id[19] = last
  return id
}
