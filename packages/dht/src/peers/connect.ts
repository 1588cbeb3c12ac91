import type { AbortOptions, PeerId, PeerInfo } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'
import { dialledAddresses } from '#dialled-addresses'

/**
 * Whether there is a connection to a peer. A relayed one does not count: it is limited, and Waggle's protocols do
 * not run on it.
 */
export function isConnectedTo(connectionManager: ConnectionManager, peer: PeerId): boolean {
  return connectionManager
    .getConnections(peer)
    .some(({ limits, status }) => limits == null && status === 'open')
}

/** Dials a peer at the given addresses. By itself, libp2p would search the whole network for an unknown peer. */
export async function dial(
  connectionManager: ConnectionManager,
  { id, multiaddrs }: PeerInfo,
  options: AbortOptions
): Promise<void> {
  const addresses = dialledAddresses(multiaddrs).flatMap((address) => addressOf(id, address))
  await connectionManager.openConnection(addresses, options)
}

/** The address with the peer's id at its end; none if it leads to another peer. */
function addressOf(id: PeerId, address: Multiaddr): Multiaddr[] {
  const last = address.getComponents().at(-1)

  if (last?.name !== 'p2p') {
    return [address.encapsulate(`/p2p/${id}`)]
  }

  return last.value === id.toString() ? [address] : []
}
