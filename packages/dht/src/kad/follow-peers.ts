import type { Libp2pEvents, TypedEventTarget } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { hostOf } from '../peers/host-of.ts'
import type { KnownPeers } from '../peers/known-peers.ts'
import { isBetweenPages } from '../peers/page-address.ts'
import type { PeerBook } from '../peers/peer-book.ts'

export interface FollowPeersInit {
  /** kad-dht's protocol, which distinguishes servers of this network from others. */
  readonly protocol: string
  readonly registrar: Registrar
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly known: KnownPeers
  readonly peers: PeerBook
}

/** Updates the known peers from libp2p's connections and peer store. */
export async function followPeers(init: FollowPeersInit, signal: AbortSignal): Promise<void> {
  const { events, known, peers, protocol, registrar } = init

  events.addEventListener(
    'peer:update',
    ({ detail: { peer, previous } }) => {
      const addresses = peer.addresses.map(({ multiaddr }) => multiaddr)
      known.setAddresses(peer.id, addresses)

      if (previous?.protocols.includes(protocol) && !peer.protocols.includes(protocol)) {
        known.remove(peer.id)
      }
    },
    { signal }
  )
  const topology = await registrar.register(protocol, {
    onConnect(peer, connection) {
      // Nobody else could dial a page that claims to be a server.
      if (!isBetweenPages(connection.remoteAddr)) {
        known.addConnected(peer, hostOf(connection.remoteAddr))
        peers.recordResponse(peer)
      }
    },
    onDisconnect: (peer) => known.removeConnected(peer)
  })
  signal.addEventListener('abort', () => registrar.unregister(topology))
}
