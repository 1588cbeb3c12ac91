import type { Libp2pEvents, PeerId, PeerStore, TypedEventTarget } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { KnownPeers } from '../peers/known-peers.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import type { KadInternals } from './internals.ts'

export interface FollowPeersInit {
  readonly kad: KadInternals
  readonly peerStore: PeerStore
  readonly registrar: Registrar
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly known: KnownPeers
  readonly peers: PeerBook
}

/** Keeps the known peers as kad-dht's routing table and libp2p's connections have them. */
export async function followPeers(init: FollowPeersInit, signal: AbortSignal): Promise<void> {
  const { kad, events, known, peers, registrar } = init
  const { routingTable } = kad
  const add = (peer: PeerId): void => know(init, peer, () => known.setInTable(peer, true))

  for (const peer of routingTable.closestPeers(NOWHERE, { count: routingTable.size })) {
    add(peer)
  }

  routingTable.addEventListener('peer:add', ({ detail }) => add(detail), { signal })
  routingTable.addEventListener('peer:remove', ({ detail }) => known.setInTable(detail, false), {
    signal
  })
  events.addEventListener(
    'peer:update',
    ({ detail: { peer } }) =>
      known.setAddresses(
        peer.id,
        peer.addresses.map(({ multiaddr }) => multiaddr)
      ),
    { signal }
  )
  const topology = await registrar.register(kad.protocol, {
    onConnect(peer) {
      know(init, peer, () => known.setServer(peer, true))
      peers.recordResponse(peer)
    },
    onDisconnect: (peer) => known.setServer(peer, false)
  })
  signal.addEventListener('abort', () => registrar.unregister(topology))
}

/** Takes in a peer at once; the addresses of a new one follow. */
function know({ known, peerStore }: FollowPeersInit, peer: PeerId, takeIn: () => void): void {
  const isNew = !known.has(peer)
  takeIn()

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

/** Any point will do to list all peers. */
const NOWHERE: Uint8Array = new Uint8Array(32)
