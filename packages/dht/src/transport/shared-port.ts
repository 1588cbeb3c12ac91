import type {
  ComponentLogger,
  Listener,
  MultiaddrConnection,
  Transport,
  Upgrader
} from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { overriding } from '../door/overriding.ts'
import { webSocketTarget } from '../peers/websocket-address.ts'
import { acceptedConnection } from './first-bytes.ts'
import { PacedClosings } from './paced-closings.ts'
import { RefusedPorts } from './refused-ports.ts'

/** All nodes of a process share its event loop. */
const closings = new PacedClosings()

/** The places of connections that are being set up. */
export interface PendingPlaces {
  add(connection: MultiaddrConnection): void
  delete(connection: MultiaddrConnection): void
}

interface Components {
  readonly logger: ComponentLogger
}

/**
 * libp2p's TCP transport, whose ports also serve WebSockets. A connection of either kind counts as pending as soon
 * as it is accepted.
 */
export function sharedPort(places: PendingPlaces): (components: Components) => Transport {
  return (components) => {
    const inner: Transport = tcp()(components)
    const log = components.logger.forComponent('waggle:transport')
    const refused = new RefusedPorts()

    return overriding<Transport>(inner, {
      listenFilter: (addresses) => {
        const ports = new Set(inner.listenFilter(addresses).map(String))
        return addresses.filter(
          (address) => ports.has(String(address)) || isOwnWebSocket(address, ports)
        )
      },
      dialFilter: (addresses) => [
        ...inner.dialFilter(addresses),
        ...addresses.filter((address) => webSocketTarget(address) !== undefined)
      ],
      createListener: ({ upgrader, ...options }) =>
        withWebSockets(
          inner.createListener({ ...options, upgrader: tellingApart(upgrader, places) })
        ),
      dial: async (address, dialOptions) => {
        const options = { ...dialOptions, upgrader: paced(dialOptions.upgrader) }
        const target = webSocketTarget(address)

        if (target === undefined) {
          return inner.dial(address, options).catch((error: unknown) => {
            refused.record(address, error)
            throw error
          })
        }

        refused.assertOpen(address)
        const { dialWebSocket } = await import('./websocket-dialer.ts')
        return dialWebSocket({ address, target, log }, options)
      }
    })
  }
}

/** Whether to listen on a WebSocket address, because no other address has its port. */
function isOwnWebSocket(address: Multiaddr, ports: ReadonlySet<string>): boolean {
  return webSocketTarget(address)?.isSecure === false && !ports.has(String(portOf(address)))
}

/** The address of the port that carries a WebSocket. */
function portOf(address: Multiaddr): Multiaddr {
  return multiaddr(address.getComponents().filter(({ name }) => name !== 'ws'))
}

/** Wraps a listener so that it has an address of each kind for each port. */
function withWebSockets(listener: Listener): Listener {
  return overriding<Listener>(listener, {
    listen: (address) => listener.listen(portOf(address)),
    getAddrs: () =>
      listener
        .getAddrs()
        .flatMap((address) => (isPort(address) ? [address, address.encapsulate('/ws')] : [address]))
  })
}

function isPort(address: Multiaddr): boolean {
  return address.getComponents().at(-1)?.name === 'tcp'
}

/** Wraps an upgrader so that it receives WebSockets as such. */
function tellingApart(upgrader: Upgrader, places: PendingPlaces): Upgrader {
  return overriding<Upgrader>(upgrader, {
    upgradeInbound: async (given: MultiaddrConnection, options: UpgradeOptions): Promise<void> => {
      const raw = closings.pace(given)
      places.add(raw)
      const connection = await acceptedConnection(raw, options)

      if (connection !== raw) {
        places.delete(raw)
      }

      return upgrader.upgradeInbound(connection, options)
    }
  })
}

/** Wraps an upgrader so that ends of outbound connections are reported a few at a time. */
function paced(upgrader: Upgrader): Upgrader {
  return overriding<Upgrader>(upgrader, {
    upgradeOutbound: ((raw: MultiaddrConnection, options: OutboundOptions) =>
      upgrader.upgradeOutbound(closings.pace(raw), options)) as Upgrader['upgradeOutbound']
  })
}

type OutboundOptions = Parameters<Upgrader['upgradeOutbound']>[1]

type UpgradeOptions = Parameters<Upgrader['upgradeInbound']>[1]
