import { autoNAT } from '@libp2p/autonat'
import {
  type CircuitRelayServerComponents,
  type CircuitRelayService,
  circuitRelayServer
} from '@libp2p/circuit-relay-v2'
import { type DCUtRServiceComponents, dcutr } from '@libp2p/dcutr'
import type { ConnectionGater, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { doorOf } from '../door/door.ts'
import { guardedComponents, type ProtocolGuard } from '../door/guarded-components.ts'
import { overriding } from '../door/overriding.ts'
import { messagesUpTo } from '../door/units.ts'
import { hostOf } from '../peers/host-of.ts'
import { limitedDials, withoutNames } from './dial-guard.ts'
import {
  NO_RANDOM_WALK,
  type NodeEvents,
  RELAYED_CONNECTION_BYTES,
  RELAYED_CONNECTION_MS
} from './relay.ts'
import { MAX_CIRCUITS_PER_PEER, RelayBudget } from './relay-budget.ts'
import { hopGuard, relayConnections } from './relay-guards.ts'

type PunchingComponents = DCUtRServiceComponents & NodeEvents
type RelayServerComponents = CircuitRelayServerComponents & NodeEvents

/** Nodes that one relay serves. libp2p's default is 15. */
export const MAX_RELAYED_NODES = 256

/** Relayed nodes at one host. */
const MAX_RELAYED_NODES_PER_HOST = 64

/** Milliseconds for which a relay keeps a reservation that is not renewed. */
export const RESERVATION_MS: number = 10 * 60_000

/** Bytes of a message of hole punching, or of AutoNAT's request to be dialled. */
const MAX_DIAL_MESSAGE_BYTES = 8192

/** Creates a service that replaces relayed connections by direct ones where both routers allow it. */
export function holePunching(): (components: PunchingComponents) => unknown {
  return (components) =>
    dcutr()(
      guardedComponents(components, punchingGuard, {
        connectionManager: limitedDials(components),
        transportManager: withoutNames(components.transportManager)
      })
    )
}

/** Creates a service by which nodes find out with each other's help which addresses can be dialled. */
export function reachability(): ReturnType<typeof autoNAT> {
  return (components) =>
    autoNAT()(
      guardedComponents(components, dialGuard, {
        connectionManager: limitedDials(components),
        transportManager: withoutNames(components.transportManager),
        randomWalk: NO_RANDOM_WALK
      })
    )
}

const dialGuard: ProtocolGuard = () => ({ cut: messagesUpTo(MAX_DIAL_MESSAGE_BYTES) })

/** Refuses hole punching over a direct connection, where it is useless. */
const punchingGuard: ProtocolGuard = (connection, stream) => {
  if (connection.limits == null) {
    throw new Error('the connection is direct already')
  }

  return dialGuard(connection, stream)
}

/** Creates a relay for nodes that can't be dialled, as long as they are connected. */
export function relayServer(): (components: RelayServerComponents) => CircuitRelayService {
  return (components) => {
    const { connectionGater, connectionManager, events } = components
    const server = circuitRelayServer({
      maxInboundHopStreams: 2 * MAX_CIRCUITS_PER_PEER,
      reservations: {
        maxReservations: MAX_RELAYED_NODES,
        reservationTtl: RESERVATION_MS,
        defaultDurationLimit: RELAYED_CONNECTION_MS,
        defaultDataLimit: RELAYED_CONNECTION_BYTES
      }
    })(
      guardedComponents(components, hopGuard(new RelayBudget()), {
        connectionManager: relayConnections(connectionManager, doorOf(components)),
        connectionGater: overriding<ConnectionGater>(connectionGater, {
          denyInboundRelayReservation: async (peer) =>
            isHostFull(server, connectionManager, peer) ||
            ((await connectionGater.denyInboundRelayReservation?.(peer)) ?? false)
        })
      })
    )

    events.addEventListener('peer:disconnect', ({ detail: peer }) => {
      server.reservations.get(peer)?.signal.clear()
      server.reservations.delete(peer)
    })
    return server
  }
}

/** Whether the relay has as many reservations at the peer's host as it may. */
function isHostFull(
  { reservations }: CircuitRelayService,
  connectionManager: ConnectionManager,
  peer: PeerId
): boolean {
  const [host] = connectionManager.getConnections(peer).map(({ remoteAddr }) => hostOf(remoteAddr))
  const others = [...reservations].filter(
    ([other, { addr }]) => !other.equals(peer) && hostOf(addr) === host
  )
  return others.length >= MAX_RELAYED_NODES_PER_HOST
}
