import type { PeerId } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import type { SenderId } from '../wire/messages.ts'
import { contactOf, type NodeContact } from './node-contact.ts'
import type { RoutingTable } from './routing-table.ts'

export interface TableUpkeepInit {
  readonly self: PeerId
  readonly routing: RoutingTable

  /** A node has come into the table. */
  readonly onJoin: (contact: NodeContact) => void

  /** A node was struck from it. */
  readonly onLeave: (contact: NodeContact) => void

  /** Asks whether a node is still there. It counts as failed if not. */
  readonly ping: (contact: NodeContact) => void
}

/** Keeps the routing table up to date by what peers send and what they leave unanswered. */
export class TableUpkeep {
  readonly #init: TableUpkeepInit

  constructor(init: TableUpkeepInit) {
    this.#init = init
  }

  /** A peer has asked or answered. A client tells no node id. */
  met(peer: PeerId, nodeId: SenderId): void {
    const { self, routing, onJoin, ping } = this.#init

    if (nodeId === undefined || peer.equals(self)) {
      return
    }

    const known = routing.get(peer)
    const isKnown = known !== undefined && equals(known.nodeId, nodeId)
    const contact = isKnown ? known : contactOf(peer, nodeId)
    const { isNew, toPing } = routing.add(contact)

    if (isNew) {
      onJoin(contact)
    }

    if (toPing !== undefined) {
      ping(toPing)
    }
  }

  /** A peer has not answered. It is known again as soon as it is heard of. */
  failed(peer: PeerId): void {
    const { routing, onLeave } = this.#init
    const contact = routing.get(peer)

    if (contact !== undefined) {
      routing.delete(peer)
      onLeave(contact)
    }
  }
}
