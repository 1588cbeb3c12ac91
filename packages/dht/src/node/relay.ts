import { autoNAT } from '@libp2p/autonat'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { dcutr } from '@libp2p/dcutr'
import type { AbortOptions, Libp2p } from '@libp2p/interface'
import type { RandomWalk } from '@libp2p/interface-internal'
import { raceSignal } from 'race-signal'

/** Listening address of a node that is reached through any relay. */
export const RELAYED_ADDRESS = '/p2p-circuit'

/** Nodes that one relay serves. libp2p's default is 15. */
export const MAX_RELAYED_NODES = 256

/** Milliseconds that one relayed connection may last: libp2p's default, also of public relays. */
export const RELAYED_CONNECTION_MS = 120_000

/** Bytes that one relayed connection may carry, likewise. */
export const RELAYED_CONNECTION_BYTES = 131_072n

/** Creates a transport that dials through relays, and listens through connected ones. */
export function relayTransport(): ReturnType<typeof circuitRelayTransport> {
  return (components) => circuitRelayTransport()(withoutRandomWalk(components))
}

/** Creates a service that replaces relayed connections by direct ones where both routers allow it. */
export function holePunching(): ReturnType<typeof dcutr> {
  return dcutr()
}

/** Creates a service by which nodes find out with each other's help which addresses can be dialled. */
export function reachability(): ReturnType<typeof autoNAT> {
  return (components) => autoNAT()(withoutRandomWalk(components))
}

/** Creates a relay for nodes that can't be dialled. */
export function relayServer(): ReturnType<typeof circuitRelayServer> {
  return circuitRelayServer({
    reservations: {
      maxReservations: MAX_RELAYED_NODES,
      defaultDurationLimit: RELAYED_CONNECTION_MS,
      defaultDataLimit: RELAYED_CONNECTION_BYTES
    }
  })
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
 * Disables random walks. Both services would walk through the network without a pause for as long as
 * they find no helpers. Connected peers have to suffice.
 */
function withoutRandomWalk<T extends { randomWalk: RandomWalk }>(components: T): T {
  const randomWalk: RandomWalk = {
    walk: async function* () {
      // Finds nobody.
    }
  }

  return new Proxy(components, {
    get: (target, name) => (name === 'randomWalk' ? randomWalk : Reflect.get(target, name))
  })
}
