import { doorOf } from '../door/door.ts'
import { GatewayServer } from '../gateway/gateway-server.ts'
import { partsOf } from '../kad/node-parts.ts'
import { IntroductionServer } from '../pages/introduction-server.ts'
import type { Access } from '../peers/access.ts'
import { hostOf } from '../peers/host-of.ts'
import { Replicas, type ReplicasInit } from '../reading/replicas.ts'
import type { ProtocolServer } from '../wire/protocol-server.ts'
import type { Served } from '../wire/served.ts'
import type { PartsInit } from './service-init.ts'

export interface DialableServerParts {
  readonly access: Access
  readonly replicasInit: ReplicasInit
  readonly served: Served
  readonly server: ProtocolServer
}

/** Serves what only a node can serve that others dial: introductions of pages, and a gateway for clients. */
export async function serveAsDialable(init: PartsInit, parts: DialableServerParts): Promise<void> {
  const { registrar } = init.components
  await parts.server.handle(registrar, introductionServer(init))

  if (init.serveGateway) {
    await parts.server.handle(registrar, gatewayServer(init, parts))
  }
}

function introductionServer({ components }: PartsInit): IntroductionServer {
  const { connectionManager } = components
  return new IntroductionServer({
    hostOf: (peer) => {
      const [connection] = connectionManager.getConnections(peer)
      return connection === undefined ? '' : hostOf(connection.remoteAddr)
    }
  })
}

function gatewayServer(
  { components, numReplicas }: PartsInit,
  { access, replicasInit, served }: DialableServerParts
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
