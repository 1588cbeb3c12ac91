import { GatewayClient } from '../gateway/gateway-client.ts'
import { partsOf } from '../kad/node-parts.ts'
import type { Lookups } from '../lookup/lookups.ts'
import { UnreachableServers } from '../peers/unreachable-servers.ts'
import { GatewayFallback } from '../reading/gateway-fallback.ts'
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
