import type { PeerId, PeerInfo } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode } from 'multiformats/hashes/digest'
import { textOf } from '../bytes/latin1.ts'
import type { DHTId } from '../keys/dht-id.ts'
import { BoundedMap } from '../waggle-parts.ts'
import type { NamedNode } from '../wire/messages.ts'

/** A node as the routing table knows it. Its addresses are libp2p's affair. */
export interface NodeContact extends PeerInfo {
  readonly nodeId: DHTId
}

const NO_ADDRESSES: PeerInfo['multiaddrs'] = []

export function contactOf(id: PeerId, nodeId: DHTId): NodeContact {
  return { id, nodeId, multiaddrs: NO_ADDRESSES }
}

/** Nodes remembered as others have named them. */
const MAX_REMEMBERED = 1024

/**
 * Decodes the nodes that others name, and remembers them: the same few come again and again, and decoding a peer id
 * takes longer than everything else done with an answer.
 */
export class NamedContacts {
  readonly #contacts = new BoundedMap<string, NodeContact | undefined>({ maxSize: MAX_REMEMBERED })

  /** Decodes a node; undefined for one that makes no sense. */
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

/** Where a contact of this package is in the key space. */
export function pointOf(contact: PeerInfo): DHTId {
  return (contact as NodeContact).nodeId
}
