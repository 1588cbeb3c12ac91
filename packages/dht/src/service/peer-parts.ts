import { Liveness } from '../connections/liveness.ts'
import { doorOf } from '../door/door.ts'
import { followPeers } from '../kad/follow-peers.ts'
import { partsOf } from '../kad/node-parts.ts'
import { followConnections } from '../peers/follow-connections.ts'
import { KnownPeers } from '../peers/known-peers.ts'
import { PeerBook } from '../peers/peer-book.ts'
import type { Judge } from '../store/received-record.ts'
import { Dialer } from '../wire/dialer.ts'
import type { ClientParts } from '../wire/protocol-client.ts'
import type { PartsInit } from './service-init.ts'
import type { WaggleComponents } from './service-interface.ts'

/** The memory of peers, the routing table, and the parts that dial. */
export interface PeerParts {
  readonly peers: PeerBook
  readonly routing: KnownPeers
  readonly liveness: Liveness

  /** The parts that the clients of all protocols share. */
  readonly client: ClientParts & Pick<Judge, 'onForgery'> & { readonly dialer: Dialer }
}

/** Creates the parts. */
export function createPeerParts(init: PartsInit): PeerParts {
  const { connectionManager, peerId: self } = init.components
  const peers = createPeerBook(init, () => routing)
  const liveness = createLiveness(init)
  const routing = createKnownPeers(init, peers, liveness)
  const dialer = new Dialer({
    ...{ self, connectionManager, peers, requestTimeoutMs: init.requestTimeoutMs }
  })
  const door = doorOf(init.components)
  const { buffers } = door
  const onForgery: Judge['onForgery'] = (peer, error) => door.forgive(peer, error)
  const { network } = partsOf(init.components).store
  return { liveness, peers, routing, client: { buffers, dialer, network, peers, onForgery } }
}

/** Updates them from libp2p's connections and peer store, until the signal is aborted. */
export async function followNetwork(
  components: WaggleComponents,
  { peers, routing: known }: PeerParts,
  lifetime: AbortSignal
): Promise<void> {
  const { connectionManager, events, registrar } = components
  const { protocol } = partsOf(components).kad
  followConnections({ connectionManager, events, peers }, lifetime)
  await followPeers({ registrar, events, protocol, known, peers }, lifetime)
}

function createPeerBook({ components }: PartsInit, routing: () => KnownPeers): PeerBook {
  const { connectionManager, logger } = components
  const log = logger.forComponent('waggle:bans')
  return new PeerBook({
    dials: doorOf(components).dials,
    onResponse: (peer) => routing().recordResponse(peer),
    onFailure: (peer) => routing().recordFailure(peer),
    onVacancy: (peer) => routing().recordDeparture(peer),
    onBan(peer, error, forMs) {
      log('%p violated the protocol and is banned for %d ms - %e', peer, forMs, error)
      routing().remove(peer)

      for (const connection of connectionManager.getConnections(peer)) {
        connection.abort(error)
      }
    }
  })
}

function createLiveness({ components }: PartsInit): Liveness {
  const { connectionManager, logger } = components
  return new Liveness({ connectionManager, log: logger.forComponent('waggle:liveness') })
}

function createKnownPeers(
  { components, events }: PartsInit,
  { records }: PeerBook,
  liveness: Liveness
): KnownPeers {
  const { peerId, peerStore } = components
  return new KnownPeers({
    self: peerId,
    records,
    addressesOf: async (peer) => {
      const { addresses } = await peerStore.get(peer)
      return addresses.map(({ multiaddr }) => multiaddr)
    },
    onFound: (detail) => events.safeDispatchEvent('peer:found', { detail }),
    onLost: (detail) => events.safeDispatchEvent('peer:lost', { detail }),
    onConnect: (detail) => events.safeDispatchEvent('peer:connect', { detail }),
    onDisconnect: (detail) => events.safeDispatchEvent('peer:disconnect', { detail }),
    onSuspect: (peer) => liveness.check(peer)
  })
}
