import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { Libp2pEvents, TypedEventTarget } from '@libp2p/interface'
import type { RandomWalk } from '@libp2p/interface-internal'
import { doorOf } from '../door/door.ts'
import { guardedComponents } from '../door/guarded-components.ts'
import { relayedConnections, stopGuard } from './relay-guards.ts'

/** The event bus, which identifies the services of one node. */
export interface NodeEvents {
  readonly events: TypedEventTarget<Libp2pEvents>
}

/** Milliseconds that one relayed connection may last: libp2p's default, also of public relays. */
export const RELAYED_CONNECTION_MS = 120_000

/** Bytes that one relayed connection may carry: libp2p's default, also of public relays. */
export const RELAYED_CONNECTION_BYTES = 131_072n

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

/**
 * Disables random walks. Both services would walk through the network without a pause while they find no helpers.
 * Connected peers have to suffice.
 */
export const NO_RANDOM_WALK: RandomWalk = {
  walk: async function* () {
    // Yields no peer.
  }
}
