import type { AbortOptions, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { KadDHT, MessageType, QueryEvent } from '@libp2p/kad-dht'

/**
 * What we use of kad-dht beyond its documented interface: requests to one peer, those of
 * others, and the routing table. Its version is pinned because of this, and a test notices when any of it moves.
 */
export interface KadInternals extends KadDHT {
  readonly protocol: string

  readonly network: {
    sendRequest(
      to: PeerId,
      message: { type: MessageType; key: Uint8Array; record?: Uint8Array },
      options: AbortOptions & { path: typeof NO_PATH }
    ): AsyncIterable<QueryEvent>
  }

  /** What answers the requests of others. */
  readonly rpc: {
    handleMessage(peer: PeerId, message: { readonly type: MessageType }): Promise<unknown>
  }

  readonly routingTable: TypedEventTarget<{
    'peer:add': CustomEvent<PeerId>
    'peer:remove': CustomEvent<PeerId>
  }> & {
    readonly size: number
    closestPeers(target: Uint8Array, options: { count: number }): PeerId[]
  }
}

/** Events say on which of a query's paths they happen; our requests are on none. */
export const NO_PATH = { index: -1, queued: 0, running: 0, total: 0 }

/** The same object with the type that it really has. */
export function internalsOf(kad: KadDHT): KadInternals {
  const { network, routingTable, rpc } = kad as Partial<KadInternals>

  if (
    typeof network?.sendRequest !== 'function' ||
    typeof routingTable?.closestPeers !== 'function' ||
    typeof rpc?.handleMessage !== 'function'
  ) {
    throw new Error('this version of @libp2p/kad-dht is not supported: install 16.4')
  }

  return kad as KadInternals
}
