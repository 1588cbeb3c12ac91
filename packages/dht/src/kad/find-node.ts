import type { AbortOptions, PeerId, PeerInfo } from '@libp2p/interface'
import { MessageType } from '@libp2p/kad-dht'
import { SEARCH_WIDTH } from '../constants.ts'
import { dialable } from '../wire/peer-codec.ts'
import { type KadInternals, NO_PATH } from './internals.ts'

/**
 * Asks a connected peer which peers it knows near to a third one, by kad-dht's message, which plain
 * peers answer, too.
 */
export async function findNode(
  kad: KadInternals,
  peer: PeerId,
  target: PeerId,
  options: AbortOptions
): Promise<readonly PeerInfo[]> {
  const message = { type: MessageType.FIND_NODE, key: target.toMultihash().bytes }

  for await (const event of kad.network.sendRequest(peer, message, { ...options, path: NO_PATH })) {
    if (event.name === 'PEER_RESPONSE') {
      return event.closer.slice(0, SEARCH_WIDTH).map(dialable)
    }

    if (event.name === 'QUERY_ERROR') {
      throw event.error
    }
  }

  return []
}
