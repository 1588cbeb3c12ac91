import type {
  Connection,
  Libp2pEvents,
  PeerId,
  PeerStore,
  TypedEventTarget
} from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { hostOf } from '../peers/host-of.ts'
import type { KnownPeers } from '../peers/known-peers.ts'
import type { PeerBook } from '../peers/peer-book.ts'

export interface FollowPeersInit {
  /** kad-dht's protocol, by which servers of this network are told from others. */
  readonly protocol: string
  readonly peerStore: PeerStore
  readonly registrar: Registrar
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly known: KnownPeers
  readonly peers: PeerBook
}

/** Keeps the known peers as libp2p's connections and its peer store have them. */
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
      know(init, peer, connection)
      peers.recordResponse(peer)
    },
    onDisconnect: (peer) => known.removeConnected(peer)
  })
  signal.addEventListener('abort', () => registrar.unregister(topology))
}

/** Takes in a server at once; the addresses of a new one follow. */
function know(
  { known, peerStore }: FollowPeersInit,
  peer: PeerId,
  { remoteAddr }: Connection
): void {
  const isNew = !known.has(peer)
  known.addConnected(peer, hostOf(remoteAddr))

  if (isNew) {
    peerStore.get(peer).then(
      ({ addresses }) =>
        known.setAddresses(
          peer,
          addresses.map(({ multiaddr }) => multiaddr)
        ),
      () => {
        // libp2p finds out when it is to dial.
      }
    )
  }
}
