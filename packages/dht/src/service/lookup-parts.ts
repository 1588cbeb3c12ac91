import type { PeerInfo } from '@libp2p/interface'
import type { Goodbyes } from '../connections/goodbyes.ts'
import { ExchangeClient } from '../exchange/exchange-client.ts'
import { KadChannel } from '../kad/kad-channel.ts'
import { partsOf } from '../kad/node-parts.ts'
import { Lookups } from '../lookup/lookups.ts'
import { type Access, accessBy } from '../peers/access.ts'
import { isConnectedTo } from '../peers/connect.ts'
import { cachePolicy } from '../reading/cache-policy.ts'
import { CachedReads } from '../reading/cached-reads.ts'
import { Replicas, type ReplicasInit } from '../reading/replicas.ts'
import { type Caches, createCaches } from './caches.ts'
import { createGateways, type GatewayParts } from './gateway-parts.ts'
import { createPeerParts, type PeerParts } from './peer-parts.ts'
import type { PartsInit } from './service-init.ts'

export interface LookupParts extends PeerParts, GatewayParts {
  readonly access: Access
  readonly caches: Caches
  readonly exchange: ExchangeClient
  readonly lookups: Lookups
  readonly replicas: Replicas
  readonly replicasInit: ReplicasInit

  /** The parts that observe peers' progress with requests. Some are added later. */
  readonly protocols: { progressMs(peer: PeerInfo): number }[]

  /** Created later, because closing connections depends on the activity of the protocols. */
  readonly goodbyes: () => Goodbyes
}

/** Creates the parts that find peers and read from them. */
export function createLookup(init: PartsInit, goodbyes: () => Goodbyes): LookupParts {
  const { components, numReplicas, requestTimeoutMs, role } = init
  const { progress, store } = partsOf(components)
  const found = createPeerParts(init)
  const { client, peers, routing } = found
  const exchange = createExchangeClient(init, client, goodbyes)
  const protocols: LookupParts['protocols'] = [exchange, progress, client.dialer]
  const lookups = new Lookups({
    ...{ peers, requestTimeoutMs },
    isReady: ({ id }) => isConnectedTo(components.connectionManager, id),
    progressMs: (peer) => Math.max(...protocols.map((protocol) => protocol.progressMs(peer)))
  })
  const caches = createCaches(init)
  const readers = createGateways(init, { ...found, lookups })
  protocols.push(readers.gateways)
  const replicasInit = {
    ...{ self: components.peerId, numReplicas, gatewayFallback: readers.gatewayFallback },
    ...{ cache: caches.cache, store, channel: exchange, routing, lookups },
    isReplica: () => role.isReplica,
    mayLack: () => role.mayLack
  }
  const replicas = new Replicas(replicasInit)
  const access = accessBy(init.allowPeer)
  return {
    ...{ ...found, ...readers, access, caches, exchange, goodbyes },
    ...{ lookups, protocols, replicas, replicasInit }
  }
}

function createExchangeClient(
  { components, requestTimeoutMs }: PartsInit,
  client: PeerParts['client'],
  goodbyes: () => Goodbyes
): ExchangeClient {
  const { logger } = components
  const { kad, progress, store } = partsOf(components)
  const { dialer } = client
  const log = logger.forComponent('waggle:exchange')
  const kadChannel = new KadChannel({
    ...{ dialer, kad, log, progress, requestTimeoutMs, store }
  })
  return new ExchangeClient({
    ...{ ...client, log, requestTimeoutMs, store, kadChannel },
    onGoodbye: (peer, reason) => goodbyes().hear(peer, reason)
  })
}

/** Creates the part that reads through the cache. */
export function createReads(
  { cache, components, meter }: PartsInit,
  { replicas }: LookupParts
): CachedReads {
  const policy = cachePolicy(cache || {})
  const log = components.logger.forComponent('waggle:cache')
  return new CachedReads({ replicas, policy, log, meter })
}
