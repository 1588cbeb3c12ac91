import { autoNAT } from '@libp2p/autonat'
import {
  type CircuitRelayServerComponents,
  type CircuitRelayService,
  circuitRelayServer,
  circuitRelayTransport
} from '@libp2p/circuit-relay-v2'
import { type DCUtRServiceComponents, dcutr } from '@libp2p/dcutr'
import type {
  AbortOptions,
  ConnectionGater,
  Libp2p,
  Libp2pEvents,
  PeerId,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager, RandomWalk } from '@libp2p/interface-internal'
import { raceSignal } from 'race-signal'
import { doorOf } from '../door/door.ts'
import { guardedComponents, type ProtocolGuard } from '../door/guarded-components.ts'
import { overriding } from '../door/overriding.ts'
import { messagesUpTo } from '../door/units.ts'
import { hostOf } from '../peers/host-of.ts'
import { limitedDials, withoutNames } from './dial-guard.ts'
import { MAX_CIRCUITS_PER_PEER, RelayBudget } from './relay-budget.ts'
import { hopGuard, relayConnections, relayedConnections, stopGuard } from './relay-guards.ts'

/** The event bus, which identifies the services of one node. */
export interface NodeEvents {
  readonly events: TypedEventTarget<Libp2pEvents>
}

type PunchingComponents = DCUtRServiceComponents & NodeEvents
type RelayServerComponents = CircuitRelayServerComponents & NodeEvents

/** Listening address of a node that is reached through any relay. */
export const RELAYED_ADDRESS = '/p2p-circuit'

/** Nodes that one relay serves. libp2p's default is 15. */
export const MAX_RELAYED_NODES = 256

/** Relayed nodes at one host. */
const MAX_RELAYED_NODES_PER_HOST = 64

/** Milliseconds for which a relay keeps a reservation that is not renewed. */
export const RESERVATION_MS: number = 10 * 60_000

/** Milliseconds that one relayed connection may last: libp2p's default, also of public relays. */
export const RELAYED_CONNECTION_MS = 120_000

/** Bytes that one relayed connection may carry: libp2p's default, also of public relays. */
export const RELAYED_CONNECTION_BYTES = 131_072n

/** Bytes of a message of hole punching, or of AutoNAT's request to be dialled. */
const MAX_DIAL_MESSAGE_BYTES = 8192

/** Creates a transport that dials through relays, and listens through connected ones. */
export function relayTransport(): ReturnType<typeof circuitRelayTransport> {
  return (components) => {
    const door = doorOf(components)
    return circuitRelayTransport()(
      guardedComponents(components, stopGuard(components), {
        connectionManager: relayedConnections(components.connectionManager, door),
        randomWalk: NO_RANDOM_WALK
      })
    )
  }
}

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

/** Resolves once others can dial the node through a relay; rejects with the signal's reason. */
export async function whenRelayed(node: Libp2p, { signal }: AbortOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const onUpdate = (): void => {
    if (isRelayed(node)) {
      resolve()
    }
  }
  node.addEventListener('self:peer:update', onUpdate)
  onUpdate()

  try {
    await raceSignal(promise, signal)
  } finally {
    node.removeEventListener('self:peer:update', onUpdate)
  }
}

function isRelayed(node: Libp2p): boolean {
  return node.getMultiaddrs().some((address) => address.toString().includes(RELAYED_ADDRESS))
}

/**
 * Disables random walks. Both services would walk through the network without a pause while they find no helpers.
 * Connected peers have to suffice.
 */
const NO_RANDOM_WALK: RandomWalk = {
  walk: async function* () {
    // Yields no peer.
  }
}
