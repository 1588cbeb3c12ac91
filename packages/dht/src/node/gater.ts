import type { ConnectionGater, PeerId } from '@libp2p/interface'
import type { Access } from '../peers/access.ts'

/**
 * Creates a connection gater that asks `allowPeer` about each peer, in both directions, as soon as
 * its id is known. The application's own gater is asked first.
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
