import type { PeerId, PeerInfo } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode } from 'multiformats/hashes/digest'
import { textOf } from '../bytes/latin1.ts'
import type { DHTId } from '../keys/dht-id.ts'
import { BoundedMap } from '../waggle-parts.ts'
import type { NamedNode } from '../wire/messages.ts'

/** A node in the routing table. libp2p keeps its addresses. */
export interface NodeContact extends PeerInfo {
  readonly nodeId: DHTId
}

const NO_ADDRESSES: PeerInfo['multiaddrs'] = []

export function contactOf(id: PeerId, nodeId: DHTId): NodeContact {
  return { id, nodeId, multiaddrs: NO_ADDRESSES }
}

/** Nodes remembered from other nodes' responses. */
const MAX_REMEMBERED = 1024

/**
 * Decodes the nodes in responses and caches them: the same few recur, and decoding a peer id is the slowest part of
 * reading a response.
 */
export class NamedContacts {
  readonly #contacts = new BoundedMap<string, NodeContact | undefined>({ maxSize: MAX_REMEMBERED })

  /** Decodes a node; undefined for an invalid one. */
  of({ nodeId, peerId }: NamedNode): NodeContact | undefined {
    const name = textOf(nodeId) + textOf(peerId)

    if (!this.#contacts.has(name)) {
      this.#contacts.set(name, decodeContact(nodeId.slice(), peerId.slice()))
    }

    return this.#contacts.get(name)
  }
}

function decodeContact(nodeId: DHTId, peerId: Uint8Array): NodeContact | undefined {
  try {
    return contactOf(peerIdFromMultihash(decode(peerId)), nodeId)
  } catch {
    return undefined
  }
}

/** The position of one of this package's contacts in the key space. */
export function pointOf(contact: PeerInfo): DHTId {
  return (contact as NodeContact).nodeId
}
