import type { ComponentLogger, PeerId, Startable } from '@libp2p/interface'
import { AbortError, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { DEFAULT_NUM_REPLICAS, DEFAULT_REQUEST_TIMEOUT_MS, SWEEP_INTERVAL_MS } from './constants.ts'
import { anySignal } from './deadline.ts'
import type { Stats, WaggleOperations } from './interface.ts'
import { KadChannel } from './kad/kad-channel.ts'
import { KadRouting } from './kad/kad-routing.ts'
import { type NodeParts, partsOf } from './kad/node-parts.ts'
import { Avoidance } from './lookup/avoidance.ts'
import { Operations } from './operations.ts'
import { Replicas } from './replicas/replicas.ts'

/** How the service replicates. */
export interface WaggleInit {
  /**
   * How many peers hold a record.
   *
   * @default DEFAULT_NUM_REPLICAS
   */
  numReplicas?: number | undefined

  /**
   * Milliseconds that one peer may take to answer one request.
   *
   * @default DEFAULT_REQUEST_TIMEOUT_MS
   */
  requestTimeoutMs?: number | undefined
}

/** What libp2p hands to the service. */
export interface WaggleComponents {
  peerId: PeerId
  connectionManager: ConnectionManager
  logger: ComponentLogger

  /** Tells this node from others in the same process. */
  events: object
}

const SERVICE = '@waggle/dht'

/** What `waggle()` adds to a libp2p node. `DHT.create({ libp2p: node })` is the way to use it. */
export interface Waggle {
  readonly [Symbol.toStringTag]: typeof SERVICE

  /** Whether this node holds no records for others and is in nobody's routing table. */
  readonly clientMode: boolean

  /** The peers that this node is connected to. */
  readonly peers: PeerId[]

  /** kad-dht's protocol, which names the network. */
  readonly protocol: string

  stats(): Stats

  /** Resolves once this node knows a peer to begin searches at. */
  whenRouted(signal: AbortSignal): Promise<void>

  /** The operations, whose calls end with the given lifetime or with the node. */
  operations(lifetime: AbortSignal): WaggleOperations
}

/**
 * The Waggle service for an application's own libp2p node. It needs `waggleKadDHT()` beside it, in
 * whose store it keeps records, and the services `identify` and `ping`, which kad-dht needs.
 */
export function waggle(init: WaggleInit = {}): (components: WaggleComponents) => Waggle {
  return (components) => new WaggleService(components, init)
}

/** The Waggle service among a node's services, whatever name it has there. */
export function findWaggle(services: object): Waggle | undefined {
  return Object.values(services).find(
    (service): service is Waggle => service?.[Symbol.toStringTag] === SERVICE
  )
}

interface Running {
  readonly parts: NodeParts
  readonly replicas: Replicas
  readonly routing: KadRouting
  readonly stop: AbortController
}

class WaggleService implements Waggle, Startable {
  readonly [Symbol.toStringTag] = SERVICE
  readonly [serviceCapabilities]: string[] = [SERVICE]
  readonly [serviceDependencies]: string[] = ['@libp2p/kad-dht']
  readonly #components: WaggleComponents
  readonly #numReplicas: number
  readonly #requestTimeoutMs: number
  #running: Running | undefined

  constructor(components: WaggleComponents, init: WaggleInit) {
    this.#components = components
    this.#numReplicas = init.numReplicas ?? DEFAULT_NUM_REPLICAS
    this.#requestTimeoutMs = init.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS
  }

  /** Called by libp2p, when all services exist: their order does not matter. */
  start(): void {
    const parts = partsOf(this.#components)
    const routing = new KadRouting(parts.kad)
    const stop = new AbortController()
    const sweeping = setInterval(() => parts.store.sweep(), SWEEP_INTERVAL_MS)
    sweeping.unref?.()
    stop.signal.addEventListener('abort', () => clearInterval(sweeping))
    this.#running = { parts, routing, stop, replicas: this.#replicas(parts, routing) }
  }

  /** Called by libp2p. */
  stop(): void {
    this.#running?.stop.abort(new AbortError('the node was stopped'))
    this.#running = undefined
  }

  get clientMode(): boolean {
    return this.#started.parts.kad.getMode() === 'client'
  }

  get peers(): PeerId[] {
    const connections = this.#components.connectionManager.getConnections()
    const peers = new Map(connections.map(({ remotePeer }) => [remotePeer.toString(), remotePeer]))
    return [...peers.values()]
  }

  get protocol(): string {
    return this.#started.parts.kad.protocol
  }

  stats(): Stats {
    const { store, kad } = this.#started.parts
    return {
      records: store.records,
      bytes: store.bytes,
      peers: this.peers.length,
      knownPeers: kad.routingTable.size
    }
  }

  whenRouted(signal: AbortSignal): Promise<void> {
    return this.#started.routing.whenNotEmpty(signal)
  }

  operations(lifetime: AbortSignal): WaggleOperations {
    const { replicas, parts, stop } = this.#started
    return new Operations({
      replicas,
      store: parts.store,
      numReplicas: this.#numReplicas,
      log: this.#components.logger.forComponent('waggle:operations'),
      lifetime: anySignal(lifetime, stop.signal)
    })
  }

  get #started(): Running {
    if (this.#running === undefined) {
      throw new AbortError('the libp2p node is not running: start it, or create another one')
    }

    return this.#running
  }

  #replicas({ kad, store }: NodeParts, routing: KadRouting): Replicas {
    const { peerId, connectionManager, logger } = this.#components
    const log = logger.forComponent('waggle:kad')

    return new Replicas({
      self: peerId,
      store,
      channel: new KadChannel({ connectionManager, kad, log, store }),
      routing,
      avoidance: new Avoidance(),
      numReplicas: this.#numReplicas,
      requestTimeoutMs: this.#requestTimeoutMs,
      isReplica: () => kad.getMode() === 'server'
    })
  }
}
