import type {
  ComponentLogger,
  Libp2pEvents,
  PeerId,
  PeerStore,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import { AbortError, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import {
  DEFAULT_NUM_REPLICAS,
  DEFAULT_REQUEST_TIMEOUT_MS,
  SEARCH_WIDTH,
  SWEEP_INTERVAL_MS
} from './constants.ts'
import { anySignal } from './deadline.ts'
import { ExchangeChannel } from './exchange/exchange-channel.ts'
import { ExchangeServer } from './exchange/exchange-server.ts'
import { EXCHANGE_PROTOCOL, MAX_EXCHANGE_STREAMS } from './exchange/limits.ts'
import type { Stats, WaggleOperations } from './interface.ts'
import { KadChannel } from './kad/kad-channel.ts'
import { KnownPeers } from './kad/known-peers.ts'
import { type NodeParts, partsOf } from './kad/node-parts.ts'
import { Avoidance } from './lookup/avoidance.ts'
import { Operations } from './operations.ts'
import { isPositive, isWhole, persistenceOptions } from './options.ts'
import type { PeerMemory } from './persistence/peer-memory.ts'
import {
  openPersistence,
  type Persistence,
  type PersistenceOptions
} from './persistence/persistence.ts'
import { Replicas, type ReplicasInit } from './replicas/replicas.ts'

/** How the service replicates, and where it keeps what it holds. */
export interface WaggleInit extends PersistenceOptions {
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
  events: TypedEventTarget<Libp2pEvents>
  logger: ComponentLogger
  peerStore: PeerStore
  registrar: Registrar
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

  /** Remembers peers on disk, if there is one. */
  readonly peerMemory: PeerMemory | undefined

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
  const { numReplicas = DEFAULT_NUM_REPLICAS, requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = init
  isWhole(1, SEARCH_WIDTH)(numReplicas, 'numReplicas')
  isPositive(requestTimeoutMs, 'requestTimeoutMs')
  const persistence = persistenceOptions(init)
  return (components) =>
    new WaggleService(components, { numReplicas, requestTimeoutMs, persistence })
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
  readonly routing: KnownPeers
  readonly stop: AbortController
}

class WaggleService implements Waggle, Startable {
  readonly [Symbol.toStringTag] = SERVICE
  readonly [serviceCapabilities]: string[] = [SERVICE]
  readonly [serviceDependencies]: string[] = ['@libp2p/kad-dht']
  readonly #components: WaggleComponents
  readonly #numReplicas: number
  readonly #requestTimeoutMs: number
  readonly #persistenceOptions: PersistenceOptions
  #persistence: Persistence | undefined
  #running: Running | undefined

  constructor(
    components: WaggleComponents,
    init: { numReplicas: number; requestTimeoutMs: number; persistence: PersistenceOptions }
  ) {
    this.#components = components
    this.#numReplicas = init.numReplicas
    this.#requestTimeoutMs = init.requestTimeoutMs
    this.#persistenceOptions = init.persistence
  }

  /** Called by libp2p before anybody can ask: what was kept is there from the first moment. */
  async beforeStart(): Promise<void> {
    const { store } = partsOf(this.#components)
    const { logger } = this.#components
    this.#persistence = await openPersistence({ ...this.#persistenceOptions, store, logger })
  }

  /** Called by libp2p, when all services exist: their order does not matter. */
  async start(): Promise<void> {
    const { events, peerStore, registrar } = this.#components
    const parts = partsOf(this.#components)
    const { kad, store } = parts
    const avoidance = new Avoidance()
    // A peer that failed because it was slow is no worse than others once it is heard of again.
    const onAlive = (peer: PeerId): void => avoidance.answered(peer)
    const routing = new KnownPeers({ kad, peerStore, registrar, events, onConnect: onAlive })
    const channel = this.#channel(parts, onAlive)
    const stop = new AbortController()
    const sweeping = setInterval(() => store.sweep(), SWEEP_INTERVAL_MS)
    sweeping.unref?.()
    stop.signal.addEventListener('abort', () => {
      clearInterval(sweeping)
      channel.close()
    })
    this.#running = {
      parts,
      routing,
      stop,
      replicas: this.#replicas(parts, { routing, channel, avoidance })
    }

    await routing.follow(stop.signal)

    if (kad.getMode() === 'server') {
      const server = new ExchangeServer({ store, routing })
      await registrar.handle(
        EXCHANGE_PROTOCOL,
        (stream, connection) => server.serve(stream, connection.remotePeer),
        { maxInboundStreams: MAX_EXCHANGE_STREAMS, maxOutboundStreams: MAX_EXCHANGE_STREAMS }
      )
    }
  }

  /** Called by libp2p. */
  async stop(): Promise<void> {
    this.#running?.stop.abort(new AbortError('the node was stopped'))
    this.#running = undefined
    await this.#components.registrar.unhandle(EXCHANGE_PROTOCOL)
  }

  /** Called by libp2p when nobody can ask any more, or when starting has failed. */
  async afterStop(): Promise<void> {
    await this.#persistence?.close()
    this.#persistence = undefined
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

  get peerMemory(): PeerMemory | undefined {
    return this.#persistence?.peers
  }

  stats(): Stats {
    const { parts, routing } = this.#started
    const { store } = parts
    return {
      records: store.records,
      bytes: store.bytes,
      peers: this.peers.length,
      knownPeers: routing.size,
      persistence: this.#persistence?.stats()
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

  #channel({ kad, store }: NodeParts, onAnswer: (peer: PeerId) => void): ExchangeChannel {
    const { connectionManager, logger } = this.#components
    const log = logger.forComponent('waggle:exchange')
    const stockChannel = new KadChannel({ connectionManager, kad, log, store })
    return new ExchangeChannel({ connectionManager, log, store, stockChannel, onAnswer })
  }

  #replicas(
    { kad, store }: NodeParts,
    parts: Pick<ReplicasInit, 'routing' | 'channel' | 'avoidance'>
  ): Replicas {
    return new Replicas({
      self: this.#components.peerId,
      store,
      ...parts,
      numReplicas: this.#numReplicas,
      requestTimeoutMs: this.#requestTimeoutMs,
      isReplica: () => kad.getMode() === 'server'
    })
  }
}
