import type { PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { DHTEvents } from '../events.ts'
import { findNode } from '../kad/find-node.ts'
import type { KadInternals } from '../kad/internals.ts'
import type { KnownPeers } from '../kad/known-peers.ts'
import { connectedTo } from '../peers/connect.ts'
import { anySignal, timeoutSignal } from '../timing/deadline.ts'
import { NetworkMerge } from './network-merge.ts'

export interface MeetingsInit {
  readonly self: PeerId
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<DHTEvents>
  readonly kad: KadInternals
  readonly routing: KnownPeers
  readonly requestTimeoutMs: number
}

/**
 * Makes a node acquainted with those who dial it, until the signal is aborted. Of two peers that
 * meet, the one that was dialled asks: the other one knows whom it dials.
 */
export function mergeOnInbound(init: MeetingsInit, signal: AbortSignal): NetworkMerge {
  const { self, connectionManager, events, kad, routing, requestTimeoutMs } = init
  const within = (): AbortSignal => anySignal(signal, timeoutSignal(requestTimeoutMs))
  const acquaintance = new NetworkMerge({
    self,
    ask: (peer, target) => findNode(kad, peer, target, { signal: within() }),
    connect: (contact) => connectedTo(connectionManager, contact, { signal: within() }),
    nearest: (target, count) => routing.nearest(target, count),
    isKnown: (peer) => routing.has(peer),
    now: () => performance.now()
  })

  events.addEventListener(
    'peer:join',
    ({ detail: peer }) => {
      if (connectionManager.getConnections(peer).some(({ direction }) => direction === 'inbound')) {
        acquaintance.discover(peer)
      }
    },
    { signal }
  )

  return acquaintance
}
