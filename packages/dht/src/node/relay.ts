import { autoNAT } from '@libp2p/autonat'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { dcutr } from '@libp2p/dcutr'
import type { AbortOptions, Libp2p } from '@libp2p/interface'
import type { RandomWalk } from '@libp2p/interface-internal'
import { raceSignal } from 'race-signal'

/** Where a node listens that wants to be reached through relays, whichever it finds. */
export const RELAYED_ADDRESS = '/p2p-circuit'

/** How many nodes one relay speaks for. libp2p's own default is 15. */
export const MAX_RELAYED_NODES = 256

/** How long one relayed connection may last, and how many bytes it may carry: libp2p's own defaults, by which public relays live, too. */
export const RELAYED_CONNECTION_MS = 120_000
export const RELAYED_CONNECTION_BYTES = 131_072n

/** Dials through relays, and listens through those that we are connected to. */
export function relayTransport(): ReturnType<typeof circuitRelayTransport> {
  return (components) => circuitRelayTransport()(withoutRandomWalk(components))
}

/** Turns connections through a relay into direct ones where both sides' routers allow it. */
export function holePunching(): ReturnType<typeof dcutr> {
  return dcutr()
}

/** Finds out, with the help of others, by which addresses a node can be reached, and helps others to. */
export function reachability(): ReturnType<typeof autoNAT> {
  return (components) => autoNAT()(withoutRandomWalk(components))
}

/** Speaks for nodes that can't be reached. */
export function relayServer(): ReturnType<typeof circuitRelayServer> {
  return circuitRelayServer({
    reservations: {
      maxReservations: MAX_RELAYED_NODES,
      defaultDurationLimit: RELAYED_CONNECTION_MS,
      defaultDataLimit: RELAYED_CONNECTION_BYTES
    }
  })
}

/** Resolves once others can reach the node through a relay; rejects with the signal's reason. */
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
 * Both services look for helpers by walking at random through the network, without a pause for as
 * long as they find none. The peers that we meet anyway have to do.
 */
function withoutRandomWalk<T extends { randomWalk: RandomWalk }>(components: T): T {
  const randomWalk: RandomWalk = {
    walk: async function* () {
      // Nobody.
    }
  }

  return new Proxy(components, {
    get: (target, name) => (name === 'randomWalk' ? randomWalk : Reflect.get(target, name))
  })
}
