import type { PeerId } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { BoundedMap } from '../waggle-parts.ts'
import type { SenderId } from '../wire/messages.ts'
import { contactOf, type NodeContact } from './node-contact.ts'
import type { RoutingTable } from './routing-table.ts'

/** Milliseconds after a first failure for which others count as the same: many calls fail at once. */
const SAME_FAILURE_MS = 1000

/** Peers whose first failure is remembered. */
const MAX_FAILED = 4096

export interface TableUpkeepInit {
  readonly self: PeerId
  readonly routing: RoutingTable

  /** A node has come into the table. */
  readonly onJoin: (contact: NodeContact) => void

  /** A node was struck from it. */
  readonly onLeave: (contact: NodeContact) => void

  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number

  /** Asks whether a node is still there. It counts as failed if not. */
  readonly ping: (contact: NodeContact) => void
}

/** Keeps the routing table up to date by what peers send and what they leave unanswered. */
export class TableUpkeep {
  readonly #init: TableUpkeepInit

  /** When each peer failed that has not been heard of since. */
  readonly #failedAtMs = new BoundedMap<string, number>({ maxSize: MAX_FAILED })

  constructor(init: TableUpkeepInit) {
    this.#init = init
  }

  /** A peer has asked or answered. A client tells no node id. */
  met(peer: PeerId, nodeId: SenderId): void {
    const { self, routing, onJoin, ping } = this.#init
    this.#failedAtMs.delete(peer.toString())

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

  /**
   * A peer has not answered. Hivemind strikes it from the table at once. A busy machine makes many
   * peers fail at the same moment, and a node without a table would be alone: here it takes two.
   */
  failed(peer: PeerId): void {
    const { routing, onLeave, nowMs } = this.#init
    const contact = routing.get(peer)
    const name = peer.toString()
    const failedAtMs = this.#failedAtMs.get(name)

    if (failedAtMs === undefined) {
      this.#failedAtMs.set(name, nowMs())
    } else if (contact !== undefined && nowMs() - failedAtMs > SAME_FAILURE_MS) {
      routing.delete(peer)
      onLeave(contact)
    }
  }
}
