import type { PeerId, PeerInfo } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode } from 'multiformats/hashes/digest'
import type { DHTId } from '../keys/dht-id.ts'
import type { NamedNode } from '../wire/messages.ts'

/** A node as the routing table knows it. Its addresses are libp2p's affair. */
export interface NodeContact extends PeerInfo {
  readonly nodeId: DHTId
}

const NO_ADDRESSES: PeerInfo['multiaddrs'] = []

export function contactOf(id: PeerId, nodeId: DHTId): NodeContact {
  return { id, nodeId, multiaddrs: NO_ADDRESSES }
}

/** A node that another one has named; undefined if that makes no sense. */
export function namedContact({ nodeId, peerId }: NamedNode): NodeContact | undefined {
  try {
    return contactOf(peerIdFromMultihash(decode(peerId)), nodeId)
  } catch {
    return undefined
  }
}

/** Where a contact of this package is in the key space. */
export function pointOf(contact: PeerInfo): DHTId {
  return (contact as NodeContact).nodeId
}
