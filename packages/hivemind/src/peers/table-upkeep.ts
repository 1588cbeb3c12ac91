import type { PeerId } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { BoundedMap } from '../waggle-parts.ts'
import type { SenderId } from '../wire/messages.ts'
import { contactOf, type NodeContact } from './node-contact.ts'
import type { RoutingTable } from './routing-table.ts'

/** Milliseconds after a first failure in which further ones count as the same: many calls fail at once. */
const SAME_FAILURE_MS = 1000

/** Peers whose first failure is remembered. */
const MAX_FAILED = 4096

export interface TableUpkeepInit {
  readonly self: PeerId
  readonly routing: RoutingTable

  /** Called after a node was added to the table. */
  readonly onJoin: (contact: NodeContact) => void

  /** Called after a node was removed from the table. */
  readonly onLeave: (contact: NodeContact) => void

  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number

  /** Pings a node, which counts as failed if it does not answer. */
  readonly ping: (contact: NodeContact) => void
}

/** Keeps the routing table up to date from peers' messages and failures. */
export class TableUpkeep {
  readonly #init: TableUpkeepInit

  /** The first failure of each peer that has not been seen since. */
  readonly #failedAtMs = new BoundedMap<string, number>({ maxSize: MAX_FAILED })

  constructor(init: TableUpkeepInit) {
    this.#init = init
  }

  /** Records a request or response of a peer. A client sends no node id. */
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

  /** Whether a peer has failed and has not been seen since. */
  hasFailed(peer: PeerId): boolean {
    return this.#failedAtMs.get(peer.toString()) !== undefined
  }

  /**
   * Records a failure of a peer. Hivemind removes it from the table at once. A busy machine makes many peers fail
   * at the same moment, and a node with an empty table would be isolated, so here it takes two failures.
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
