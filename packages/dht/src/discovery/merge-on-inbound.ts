import type { PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { DHTEvents } from '../events.ts'
import { findNode } from '../kad/find-node.ts'
import type { KadInternals } from '../kad/internals.ts'
import type { KnownPeers } from '../peers/known-peers.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import { anySignal, timeoutSignal } from '../timing/deadline.ts'
import type { Dialer } from '../wire/dialer.ts'
import { NetworkMerge } from './network-merge.ts'

export interface MergeOnInboundInit {
  readonly self: PeerId
  readonly connectionManager: ConnectionManager
  readonly dialer: Dialer
  readonly events: TypedEventTarget<DHTEvents>
  readonly kad: KadInternals
  readonly peers: PeerBook
  readonly routing: KnownPeers
  readonly requestTimeoutMs: number
}

/**
 * Merges this network with that of each peer that dials this node, until the signal is aborted. Of
 * two peers that connect, the one that was dialled asks: the other one knows whom it dials.
 */
export function mergeOnInbound(init: MergeOnInboundInit, signal: AbortSignal): NetworkMerge {
  const { self, connectionManager, dialer, events, kad, peers, routing, requestTimeoutMs } = init
  const within = (): AbortSignal => anySignal(signal, timeoutSignal(requestTimeoutMs))
  const merge = new NetworkMerge({
    self,
    peers,
    ask: (peer, target) => findNode(kad, peer, target, { signal: within() }),
    connect: (contact) => dialer.connect(contact, { signal: within() }),
    nearest: (target, count) => routing.nearest(target, count),
    isKnown: (peer) => routing.has(peer),
    now: () => performance.now()
  })

  events.addEventListener(
    'peer:join',
    ({ detail: peer }) => {
      if (connectionManager.getConnections(peer).some(({ direction }) => direction === 'inbound')) {
        merge.discover(peer)
      }
    },
    { signal }
  )

  return merge
}
