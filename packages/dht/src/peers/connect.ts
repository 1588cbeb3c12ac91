import type { AbortOptions, Connection, PeerId, PeerInfo } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'
import { dialledAddresses } from '#dialled-addresses'

/** Whether a connection is open and not relayed: a relayed one is limited, and Waggle's protocols do not run on it. */
export function isDirect({ limits, status }: Pick<Connection, 'limits' | 'status'>): boolean {
  return limits == null && status === 'open'
}

/** Whether there is a direct connection to a peer. */
export function isConnectedTo(connectionManager: ConnectionManager, peer: PeerId): boolean {
  return connectionManager.getConnections(peer).some(isDirect)
}

/** Lists the peers with any connection, each once. */
export function connectedPeers(connectionManager: ConnectionManager): PeerId[] {
  const peers = connectionManager.getConnections().map(({ remotePeer }) => remotePeer)
  return [...new Map(peers.map((peer) => [peer.toString(), peer])).values()]
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
  const last = idAtEnd(address)

  if (last === undefined) {
    return [address.encapsulate(`/p2p/${id}`)]
  }

  return last === id.toString() ? [address] : []
}

/** Returns the peer id at the end of an address. */
export function idAtEnd(address: Multiaddr): string | undefined {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' ? last.value : undefined
}
