import type {
  Connection,
  Libp2pEvents,
  Metrics,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { PendingConnections } from './pending-connections.ts'

/** Connections of one peer: one in each direction, and room for replacements. */
export const MAX_CONNECTIONS_PER_PEER = 4

export interface ConnectionLimitsComponents {
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly metrics?: Metrics
}

/**
 * Limits each peer to a few connections, of which the oldest are closed first. The budget decides which peers stay
 * connected (N10a).
 */
export function connectionLimits(
  pending: PendingConnections
): (components: ConnectionLimitsComponents) => Startable {
  return (components) => new ConnectionLimits(components, pending)
}

class ConnectionLimits implements Startable {
  readonly #components: ConnectionLimitsComponents
  readonly #onOpen = ({ detail }: CustomEvent<Connection>): void => this.#limit(detail)
  readonly #closed

  constructor(components: ConnectionLimitsComponents, pending: PendingConnections) {
    const { metrics } = components
    this.#components = components
    this.#closed = metrics?.registerCounterGroup('waggle_connections_closed_total', {
      label: 'reason',
      help: 'Connections that were closed to make room for others'
    })
    metrics?.registerMetric('waggle_pending_connections', {
      help: 'Inbound connections that are not set up yet',
      calculate: () => pending.size
    })
  }

  start(): void {
    this.#components.events.addEventListener('connection:open', this.#onOpen)
  }

  stop(): void {
    this.#components.events.removeEventListener('connection:open', this.#onOpen)
  }

  #limit(connection: Connection): void {
    const { connectionManager } = this.#components
    const own = connectionManager.getConnections(connection.remotePeer)

    for (const oldest of own.slice(0, Math.max(0, own.length - MAX_CONNECTIONS_PER_PEER))) {
      oldest.abort(new Error(`the peer has more than ${MAX_CONNECTIONS_PER_PEER} connections`))
      this.#closed?.increment({ peer_has_many: true })
    }
  }
}
