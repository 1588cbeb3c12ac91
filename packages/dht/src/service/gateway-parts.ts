import { doorOf } from '../door/door.ts'
import { GatewayClient } from '../gateway/gateway-client.ts'
import { GatewayServer } from '../gateway/gateway-server.ts'
import { partsOf } from '../kad/node-parts.ts'
import type { Lookups } from '../lookup/lookups.ts'
import type { Access } from '../peers/access.ts'
import { UnreachableServers } from '../peers/unreachable-servers.ts'
import { GatewayFallback } from '../reading/gateway-fallback.ts'
import { Replicas, type ReplicasInit } from '../reading/replicas.ts'
import type { Served } from '../wire/served.ts'
import type { PeerParts } from './peer-parts.ts'
import type { PartsInit } from './service-init.ts'

/** The way to replicas that this node cannot dial. */
export interface GatewayParts {
  readonly gateways: GatewayClient
  readonly gatewayFallback: GatewayFallback
}

/** Creates the way to replicas that this node cannot dial. */
export function createGateways(
  { components, numReplicas, role }: PartsInit,
  { client, lookups, peers, routing }: PeerParts & { readonly lookups: Lookups }
): GatewayParts {
  const { store } = partsOf(components)
  const log = components.logger.forComponent('waggle:gateway')
  const gateways = new GatewayClient({ ...client, log, lookups, peers, routing, store })
  const gatewayFallback = new GatewayFallback({
    gateways,
    unreachable: new UnreachableServers({ routing, peers, numReplicas }),
    isClient: () => !role.isReplica
  })
  return { gateways, gatewayFallback }
}

interface GatewayServerParts {
  readonly access: Access
  readonly replicasInit: ReplicasInit
  readonly served: Served
}

/** Creates what serves clients that cannot dial the replicas. */
export function createGatewayServer(
  { components, numReplicas }: PartsInit,
  { access, replicasInit, served }: GatewayServerParts
): GatewayServer {
  const { store } = partsOf(components)
  const door = doorOf(components)
  return new GatewayServer({
    ...{ access, store, numReplicas, served, lookups: door.delegated },
    log: components.logger.forComponent('waggle:gateway'),
    replicas: new Replicas({
      ...replicasInit,
      cache: undefined,
      // A gateway asks replicas itself: it never uses another gateway.
      gatewayFallback: undefined
    }),
    onForgery: (peer, error) => door.forgive(peer, error)
  })
}
