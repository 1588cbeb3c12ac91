import type { ComponentLogger, PeerId } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { fallbackWarning } from '../warn.ts'

/** The servers that a node knows, in the place of kad-dht's own routing table. */
export interface KadRouting {
  readonly size: number

  /** Lists the peers nearest to a point of the key space, nearest first. */
  closestPeers(target: Uint8Array, count: number): PeerId[]
  has(peer: PeerId): boolean
}

/** The parts of kad-dht that dial, ping or tag peers on their own, and the table that it searches. */
interface TalkativeParts {
  readonly routingTable: {
    populateFromDatastoreOnStart: boolean
    queueRoutingTableUpdate(peer: PeerId): void
    closestPeers(target: Uint8Array, options?: ClosestPeersOptions): PeerId[]
    find(peer: PeerId): Promise<PeerId | undefined>
    readonly kBucketSize: number
    readonly closestPeerTagger: Startables
  }
  readonly querySelf: Startables & {
    readonly initialQuerySelfHasRun: { resolve(): void } | undefined
  }
  readonly routingTableRefresh: Pick<Startables, 'afterStart'>
}

interface Startables {
  start(): unknown
  afterStart?(): unknown
}

interface ClosestPeersOptions {
  readonly count?: number
  readonly exclude?: readonly PeerId[]
}

/**
 * Has kad-dht serve and search, and do nothing else (N10c). Left to itself it dials each peer that
 * it hears of, pings it, tags it so that libp2p redials it at each disconnect, and searches every
 * five minutes. It is given this node's routing table instead of its own.
 *
 * Says whether it could: kad-dht stays as it is, with a warning, where these parts are not what they
 * were.
 */
export function quietKadDHT(
  kad: KadDHT,
  routing: KadRouting,
  logger: ComponentLogger
): boolean {
  if (!isTalkative(kad)) {
    fallbackWarning(
      'libp2p-kad-dht',
      'it dials each peer that it hears of, so the network cannot outgrow the connections of one node',
      logger
    )()
    return false
  }

  const { querySelf, routingTable, routingTableRefresh } = kad
  routingTable.populateFromDatastoreOnStart = false
  routingTable.queueRoutingTableUpdate = doNothing
  routingTable.find = async (peer) => (routing.has(peer) ? peer : undefined)
  routingTable.closestPeers = (target, { count = routingTable.kBucketSize, exclude = [] } = {}) =>
    routing
      .closestPeers(target, count + exclude.length)
      .filter((peer) => !exclude.some((one) => one.equals(peer)))
      .slice(0, count)
  Object.defineProperty(routingTable, 'size', { get: () => routing.size })
  routingTable.closestPeerTagger.start = doNothing
  querySelf.start = doNothing
  // Searches may wait for the first of these.
  querySelf.initialQuerySelfHasRun?.resolve()
  routingTableRefresh.afterStart = doNothing
  return true
}

function doNothing(): void {}

function isTalkative(kad: object): kad is TalkativeParts {
  const { querySelf, routingTable, routingTableRefresh } = kad as Partial<TalkativeParts>
  return (
    typeof routingTable?.queueRoutingTableUpdate === 'function' &&
    typeof routingTable.closestPeers === 'function' &&
    typeof routingTable.find === 'function' &&
    typeof routingTable.populateFromDatastoreOnStart === 'boolean' &&
    typeof routingTable.closestPeerTagger?.start === 'function' &&
    typeof querySelf?.start === 'function' &&
    typeof routingTableRefresh?.afterStart === 'function'
  )
}
