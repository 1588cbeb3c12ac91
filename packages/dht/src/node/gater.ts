import type { ConnectionGater, PeerId } from '@libp2p/interface'
import type { Access } from '../peers/access.ts'
import { limitNegotiation } from './negotiation-limit.ts'
import type { PendingConnections } from './pending-connections.ts'

/**
 * Creates a connection gater that asks `allowPeer` about each peer, in both directions, as soon as its id is known.
 * The application's own gater decides first.
 */
export function gaterFor(access: Access, own: ConnectionGater = {}): ConnectionGater {
  const isDenied = async (peer: PeerId): Promise<boolean> => !(await access.allows(peer, 'connect'))

  return {
    ...own,
    denyDialPeer: async (peer) => (await own.denyDialPeer?.(peer)) || isDenied(peer),
    denyInboundEncryptedConnection: async (peer, connection) =>
      (await own.denyInboundEncryptedConnection?.(peer, connection)) || isDenied(peer),
    denyOutboundEncryptedConnection: async (peer, connection) =>
      (await own.denyOutboundEncryptedConnection?.(peer, connection)) || isDenied(peer)
  }
}

/** Wraps a gater so that pending connections take places and have a limited number of negotiations. */
export function withPlaces(gater: ConnectionGater, pending: PendingConnections): ConnectionGater {
  return {
    ...gater,
    async denyInboundConnection(connection) {
      pending.add(limitNegotiation(connection))
      return (await gater.denyInboundConnection?.(connection)) ?? false
    },
    async denyInboundUpgradedConnection(peer, connection) {
      pending.delete(connection)
      return (await gater.denyInboundUpgradedConnection?.(peer, connection)) ?? false
    }
  }
}
