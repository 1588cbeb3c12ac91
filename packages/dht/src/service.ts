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
  type CacheOptions,
  type CachePolicy,
  cachePolicy,
  MAX_CACHED_BYTES
} from './cache/cache-policy.ts'
import { CachedReads } from './cache/cached-reads.ts'
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
import { Lookups } from './lookup/lookups.ts'
import { Operations } from './operations.ts'
import { isCache, isPositive, isWhole } from './options.ts'
import { Replicas, type ReplicasInit } from './replicas/replicas.ts'
import { RecordStore } from './store/record-store.ts'
import { Republisher } from './upkeep/republisher.ts'

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

  /**
   * How this node remembers what it has read; false: not at all.
   *
   * @default the defaults of CacheOptions
   */
  cache?: false | CacheOptions | undefined
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
  isCache(init.cache ?? {}, 'cache')
  const { cache = {} } = init
  return (components) => new WaggleService(components, { numReplicas, requestTimeoutMs, cache })
}

/** The Waggle service among a node's services, whatever name it has there. */
export function findWaggle(services: object): Waggle | undefined {
  return Object.values(services).find(
    (service): service is Waggle => service?.[Symbol.toStringTag] === SERVICE
  )
}

/** {@link WaggleInit} with its defaults. */
type ServiceInit = { readonly [K in keyof WaggleInit]-?: NonNullable<WaggleInit[K]> }

interface Running {
  readonly parts: NodeParts
  readonly cache: RecordStore | undefined
  readonly reads: CachedReads
  readonly republisher: Republisher
  readonly replicas: Replicas
  readonly routing: KnownPeers
  readonly stop: AbortController
}

class WaggleService implements Waggle, Startable {
  readonly [Symbol.toStringTag] = SERVICE
  readonly [serviceCapabilities]: string[] = [SERVICE]
  readonly [serviceDependencies]: string[] = ['@libp2p/kad-dht']
  readonly #components: WaggleComponents
  readonly #init: ServiceInit
  #running: Running | undefined

  constructor(components: WaggleComponents, init: ServiceInit) {
    this.#components = components
    this.#init = init
  }

  /** Called by libp2p, when all services exist: their order does not matter. */
  async start(): Promise<void> {
    const { events, logger, peerStore, registrar } = this.#components
    const parts = partsOf(this.#components)
    const { kad, store } = parts
    const avoidance = new Avoidance()
    // A peer that failed because it was slow is no worse than others once it is heard of again.
    const onAlive = (peer: PeerId): void => avoidance.answered(peer)
    const routing = new KnownPeers({ kad, peerStore, registrar, events, onConnect: onAlive })
    const channel = this.#channel(parts, onAlive)
    const lookups = new Lookups({
      avoidance,
      requestTimeoutMs: this.#init.requestTimeoutMs,
      isReady: (peer) => channel.isReady(peer)
    })
    const stop = new AbortController()
    const sweeping = setInterval(() => {
      store.sweep()
      cache?.sweep()
    }, SWEEP_INTERVAL_MS)
    sweeping.unref?.()
    stop.signal.addEventListener('abort', () => {
      clearInterval(sweeping)
      reads.close()
      republisher.stop()
      channel.close()
      lookups.close()
    })
    const replicas = this.#replicas(parts, { routing, channel, avoidance, lookups })
    const policy = cachePolicy(this.#init.cache || {})
    const cache = this.#init.cache === false ? undefined : cacheBeside(store, policy)
    const log = logger.forComponent('waggle:cache')
    const reads = new CachedReads({ replicas, store, cache, policy, log })
    const republisher = new Republisher({
      clock: store.clock,
      log: logger.forComponent('waggle:republish')
    })
    this.#running = { parts, cache, reads, republisher, routing, stop, replicas }

    await routing.follow(stop.signal)

    if (kad.getMode() === 'server') {
      const server = new ExchangeServer({ store, cache, routing })
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
    const { parts, cache, reads, routing } = this.#started
    const { store } = parts
    return {
      records: store.records,
      bytes: store.bytes,
      cachedRecords: cache?.records ?? 0,
      cachedBytes: cache?.bytes ?? 0,
      cacheHits: reads.hits,
      peers: this.peers.length,
      knownPeers: routing.size
    }
  }

  whenRouted(signal: AbortSignal): Promise<void> {
    return this.#started.routing.whenNotEmpty(signal)
  }

  operations(lifetime: AbortSignal): WaggleOperations {
    const { replicas, reads, republisher, parts, stop } = this.#started
    return new Operations({
      replicas,
      reads,
      republisher,
      store: parts.store,
      numReplicas: this.#init.numReplicas,
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
    const requestTimeoutMs = this.#init.requestTimeoutMs
    const stockChannel = new KadChannel({ connectionManager, kad, log, requestTimeoutMs, store })
    return new ExchangeChannel({ connectionManager, log, store, stockChannel, onAnswer })
  }

  #replicas(
    { kad, store }: NodeParts,
    parts: Pick<ReplicasInit, 'routing' | 'channel' | 'avoidance' | 'lookups'>
  ): Replicas {
    return new Replicas({
      self: this.#components.peerId,
      store,
      ...parts,
      numReplicas: this.#init.numReplicas,
      isReplica: () => kad.getMode() === 'server'
    })
  }
}

/** A second store by the same rules, for what this node holds for nobody. */
function cacheBeside({ limits, clock }: RecordStore, { maxRecords }: CachePolicy): RecordStore {
  return new RecordStore({ limits, clock, maxRecords, maxBytes: MAX_CACHED_BYTES })
}
