import type {
  AbortOptions,
  ComponentLogger,
  Libp2pEvents,
  PeerId,
  PeerStore,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import { AbortError, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { TypedEventEmitter } from 'main-event'
import { CLOCK_PROTOCOL, MAX_CLOCK_STREAMS, tellTime } from './clock/clock-protocol.ts'
import type { ClockReading } from './clock/clock-reading.ts'
import { Clocks } from './clock/clocks.ts'
import {
  DEFAULT_NUM_REPLICAS,
  DEFAULT_REQUEST_TIMEOUT_MS,
  SEARCH_WIDTH,
  SWEEP_INTERVAL_MS
} from './constants.ts'
import { anySignal } from './deadline.ts'
import { toError } from './errors.ts'
import type { DHTEvents } from './events.ts'
import { ExchangeChannel } from './exchange/exchange-channel.ts'
import { ExchangeServer } from './exchange/exchange-server.ts'
import { EXCHANGE_PROTOCOL, MAX_EXCHANGE_STREAMS } from './exchange/limits.ts'
import type { Stats, WaggleOperations } from './interface.ts'
import type { Acquaintance } from './join/acquaintance.ts'
import { acquainted } from './join/meetings.ts'
import type { KadInternals } from './kad/internals.ts'
import { KadChannel } from './kad/kad-channel.ts'
import { KnownPeers } from './kad/known-peers.ts'
import { type NodeParts, partsOf } from './kad/node-parts.ts'
import { Avoidance } from './lookup/avoidance.ts'
import { Operations } from './operations.ts'
import { isPositive, isWhole } from './options.ts'
import { Replicas, type ReplicasInit } from './replicas/replicas.ts'

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

  /** What happens to this node. */
  readonly events: TypedEventTarget<DHTEvents>

  stats(): Stats

  /** The connected peers that serve our network. */
  readonly joinedPeers: PeerId[]

  /** Whether a peer serves our network and is connected. */
  isJoined(peer: PeerId): boolean

  /** Gets to know, in the background, those whom a connected peer knows. */
  meet(peer: PeerId): void

  /** Asks a connected peer for its time. Undefined if it does not tell, as stock peers don't. */
  compareClocks(peer: PeerId, options?: AbortOptions): Promise<ClockReading | undefined>

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
  return (components) => new WaggleService(components, { numReplicas, requestTimeoutMs })
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
  readonly clocks: Clocks
  readonly acquaintance: Acquaintance
  readonly stop: AbortController
}

class WaggleService implements Waggle, Startable {
  readonly [Symbol.toStringTag] = SERVICE
  readonly [serviceCapabilities]: string[] = [SERVICE]
  readonly [serviceDependencies]: string[] = ['@libp2p/kad-dht']
  readonly events: TypedEventTarget<DHTEvents> = new TypedEventEmitter()
  readonly #components: WaggleComponents
  readonly #numReplicas: number
  readonly #requestTimeoutMs: number
  #running: Running | undefined

  constructor(
    components: WaggleComponents,
    init: { numReplicas: number; requestTimeoutMs: number }
  ) {
    this.#components = components
    this.#numReplicas = init.numReplicas
    this.#requestTimeoutMs = init.requestTimeoutMs
  }

  /** Called by libp2p, when all services exist: their order does not matter. */
  async start(): Promise<void> {
    const { registrar } = this.#components
    const parts = partsOf(this.#components)
    const { kad, store } = parts
    const avoidance = new Avoidance()
    // A peer that failed because it was slow is no worse than others once it is heard of again.
    const onAlive = (peer: PeerId): void => avoidance.answered(peer)
    const routing = this.#routing(parts, onAlive)
    const clocks = this.#clocks(parts)
    const stop = new AbortController()
    const acquaintance = this.#acquaintance(kad, routing, stop.signal)
    const channel = this.#channel(parts, onAlive)
    const sweeping = setInterval(() => store.sweep(), SWEEP_INTERVAL_MS)
    sweeping.unref?.()
    stop.signal.addEventListener('abort', () => {
      clearInterval(sweeping)
      channel.close()
    })
    this.#running = {
      parts,
      routing,
      clocks,
      acquaintance,
      stop,
      replicas: this.#replicas(parts, { routing, channel, avoidance })
    }

    clocks.follow(stop.signal)
    await routing.follow(stop.signal)

    if (kad.getMode() === 'server') {
      const server = new ExchangeServer({ store, routing })
      await registrar.handle(
        EXCHANGE_PROTOCOL,
        (stream, connection) => server.serve(stream, connection.remotePeer),
        { maxInboundStreams: MAX_EXCHANGE_STREAMS, maxOutboundStreams: MAX_EXCHANGE_STREAMS }
      )
      await registrar.handle(
        CLOCK_PROTOCOL,
        (stream) => tellTime(stream, store.clock).catch((error) => stream.abort(toError(error))),
        { maxInboundStreams: MAX_CLOCK_STREAMS, maxOutboundStreams: MAX_CLOCK_STREAMS }
      )
    }
  }

  /** Called by libp2p. */
  async stop(): Promise<void> {
    this.#running?.stop.abort(new AbortError('the node was stopped'))
    this.#running = undefined
    await this.#components.registrar.unhandle(EXCHANGE_PROTOCOL)
    await this.#components.registrar.unhandle(CLOCK_PROTOCOL)
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
    const { parts, routing, clocks } = this.#started
    const { store } = parts
    return {
      records: store.records,
      bytes: store.bytes,
      peers: this.peers.length,
      knownPeers: routing.size,
      clockSkewMs: clocks.medianSkewMs
    }
  }

  get joinedPeers(): PeerId[] {
    return this.#running?.routing.connected ?? []
  }

  isJoined(peer: PeerId): boolean {
    return this.#running?.routing.isConnected(peer) ?? false
  }

  meet(peer: PeerId): void {
    this.#running?.acquaintance.meet(peer)
  }

  async compareClocks(peer: PeerId, options?: AbortOptions): Promise<ClockReading | undefined> {
    return this.#started.clocks.compare(peer, options)
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

  #routing({ kad }: NodeParts, onConnect: (peer: PeerId) => void): KnownPeers {
    const { events, peerStore, registrar } = this.#components
    return new KnownPeers({
      kad,
      peerStore,
      registrar,
      events,
      onConnect,
      onJoin: (detail) => this.events.safeDispatchEvent('peer:join', { detail }),
      onLeave: (detail) => this.events.safeDispatchEvent('peer:leave', { detail })
    })
  }

  #acquaintance(kad: KadInternals, routing: KnownPeers, signal: AbortSignal): Acquaintance {
    const { connectionManager, peerId } = this.#components
    const requestTimeoutMs = this.#requestTimeoutMs
    const { events } = this
    return acquainted(
      { self: peerId, connectionManager, events, kad, routing, requestTimeoutMs },
      signal
    )
  }

  #clocks({ store }: NodeParts): Clocks {
    const { connectionManager, logger } = this.#components
    return new Clocks({
      connectionManager,
      events: this.events,
      log: logger.forComponent('waggle:clock'),
      clock: store.clock,
      requestTimeoutMs: this.#requestTimeoutMs
    })
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
