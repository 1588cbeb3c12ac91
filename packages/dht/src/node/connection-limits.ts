import type {
  ComponentLogger,
  Connection,
  Libp2pEvents,
  Metrics,
  PeerStore,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { type Door, doorOf } from '../door/door.ts'
import { warn } from '../warn.ts'
import type { PendingConnections } from './pending-connections.ts'

/** Connections of one peer: one each way, and room for those that are being replaced. */
export const MAX_CONNECTIONS_PER_PEER = 4

/** Connections that are left for newcomers, of all that libp2p takes: a share, and no fewer than one. */
const FREE_SHARE = 0.05

/** Connections whose tags are looked up at most, beyond those to close: each look-up takes a while. */
const MAX_CANDIDATES = 16

/** Time between two warnings, in ms. */
const WARNING_INTERVAL_MS = 60_000

export interface ConnectionLimitsComponents {
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
  readonly metrics?: Metrics
  readonly peerStore: PeerStore
}

/**
 * Keeps a place free for one more peer. Each peer has a few connections, of which the oldest end
 * first. A node that is nearly full closes inbound connections, longest idle first. It spares
 * tagged peers, such as those in the routing table, and connections that it opened itself.
 */
export function connectionLimits(
  pending: PendingConnections
): (components: ConnectionLimitsComponents) => Startable {
  return (components) => new ConnectionLimits(components, pending)
}

class ConnectionLimits implements Startable {
  readonly #components: ConnectionLimitsComponents
  readonly #door: Door
  readonly #onOpen = ({ detail }: CustomEvent<Connection>): void => this.#limit(detail)
  readonly #closed
  #warnedAtMs = Number.NEGATIVE_INFINITY
  #isMakingRoom = false

  constructor(components: ConnectionLimitsComponents, pending: PendingConnections) {
    const { metrics } = components
    this.#components = components
    this.#door = doorOf(components)
    this.#closed = metrics?.registerCounterGroup('waggle_connections_closed_total', {
      label: 'reason',
      help: 'Connections that were closed to make room for others'
    })
    metrics?.registerMetric('waggle_pending_connections', {
      help: 'Connections that others have begun and that are not set up yet',
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

    if (!this.#isMakingRoom && connectionManager.getConnections().length > this.#roomFor) {
      this.#isMakingRoom = true
      this.#makeRoom()
        .catch((error) => this.#log.error('no room was made for others - %e', error))
        .finally(() => {
          this.#isMakingRoom = false
        })
    }
  }

  get #log() {
    return this.#components.logger.forComponent('waggle:connections')
  }

  get #roomFor(): number {
    const maxConnections = this.#components.connectionManager.getMaxConnections()
    return maxConnections - Math.max(1, Math.floor(FREE_SHARE * maxConnections))
  }

  async #makeRoom(): Promise<void> {
    const { connectionManager } = this.#components
    const excess = connectionManager.getConnections().length - this.#roomFor

    for (const connection of await this.#idleUntagged(excess)) {
      connection.abort(new Error('others need the place of a connection that is not used'))
      this.#closed?.increment({ node_is_full: true })
    }

    this.#warn()
  }

  /** Inbound connections of untagged peers, longest idle first. */
  async #idleUntagged(count: number): Promise<readonly Connection[]> {
    const candidates = this.#components.connectionManager
      .getConnections()
      .filter(({ direction }) => direction === 'inbound')
      .map((connection) => ({ connection, activeAtMs: this.#activeAtMs(connection) }))
      .toSorted((a, b) => a.activeAtMs - b.activeAtMs)
    const untagged: Connection[] = []

    for (const { connection } of candidates.slice(0, count + MAX_CANDIDATES)) {
      if (untagged.length < count && (await this.#isUntagged(connection))) {
        untagged.push(connection)
      }
    }

    return untagged
  }

  #activeAtMs({ remotePeer, timeline }: Connection): number {
    const openedAtMs = timeline.open - performance.timeOrigin
    return Math.max(openedAtMs, this.#door.shares.lastServedMs(remotePeer.toString()) ?? 0)
  }

  /** kad-dht, and whatever else needs a peer, tags it. */
  async #isUntagged({ remotePeer }: Connection): Promise<boolean> {
    try {
      return (await this.#components.peerStore.get(remotePeer)).tags.size === 0
    } catch {
      return true
    }
  }

  #warn(): void {
    const nowMs = performance.now()

    if (nowMs - this.#warnedAtMs > WARNING_INTERVAL_MS) {
      this.#warnedAtMs = nowMs
      warn(
        `nearly all ${this.#components.connectionManager.getMaxConnections()} connections are in use: idle inbound ones of peers outside the routing table are closed for newcomers. Raise libp2pOptions.connectionManager.maxConnections if this machine can hold more.`,
        this.#log
      )
    }
  }
}
