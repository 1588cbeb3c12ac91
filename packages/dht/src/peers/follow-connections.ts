import type { Connection, Libp2pEvents, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { PeerBook } from './peer-book.ts'

export interface FollowConnectionsInit {
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly peers: PeerBook
}

/** Records connections, and closes those of banned peers, until the signal is aborted. */
export function followConnections(init: FollowConnectionsInit, signal: AbortSignal): void {
  const { connectionManager, events, peers } = init
  const follow = (peer: PeerId): void => {
    peers.records.update(peer, (record) => {
      record.isConnected = connectionManager.getConnections(peer).length > 0
    })
  }

  for (const { remotePeer } of connectionManager.getConnections()) {
    follow(remotePeer)
  }

  events.addEventListener('peer:connect', ({ detail }) => follow(detail), { signal })
  events.addEventListener('peer:disconnect', ({ detail }) => follow(detail), { signal })
  events.addEventListener(
    'connection:open',
    ({ detail }: CustomEvent<Connection>) => {
      if (peers.isBanned(detail.remotePeer)) {
        detail.abort(new Error('the peer is banned for a protocol violation'))
      }
    },
    { signal }
  )
}
