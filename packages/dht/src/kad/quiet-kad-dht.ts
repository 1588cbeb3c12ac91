import type { PeerId } from '@libp2p/interface'
import type { KadInternals } from './internals.ts'

/** The servers that a node knows, in place of kad-dht's own routing table. */
export interface KadRouting {
  readonly size: number

  /** Lists the peers nearest to a point of the key space, nearest first. */
  closestPeers(target: Uint8Array, count: number): PeerId[]
  has(peer: PeerId): boolean
}

/**
 * Restricts kad-dht to serving and searching (N10c). By itself it dials each peer that it learns of, pings it, tags
 * it so that libp2p redials it at each disconnect, and searches every five minutes. It uses this node's routing
 * table instead of its own.
 */
export function quietKadDHT(kad: KadInternals, routing: KadRouting): void {
  const { querySelf, routingTable, routingTableRefresh } = kad
  routingTable.populateFromDatastoreOnStart = false
  routingTable.queueRoutingTableUpdate = doNothing
  routingTable.find = async (peer) => (routing.has(peer) ? peer : undefined)
  routingTable.closestPeers = (target, { count = routingTable.kBucketSize, exclude = [] } = {}) =>
    routing
      .closestPeers(target, count + exclude.length)
      .filter((peer) => !exclude.some((one) => one.equals(peer)))
      .slice(0, count)
  Object.defineProperty(routingTable, 'size', { configurable: true, get: () => routing.size })
  routingTable.closestPeerTagger.start = doNothing
  querySelf.start = doNothing
  // Searches may wait for the first self query.
  querySelf.initialQuerySelfHasRun?.resolve()
  routingTableRefresh.afterStart = doNothing
}

function doNothing(): void {}
