import { AbortError, type PeerInfo } from '@libp2p/interface'
import { encodedSize } from '@waggle/record/replica'
import { setMaxListeners } from 'main-event'
import { clockServer } from '../clock/clock-server.ts'
import type { Clocks } from '../clock/clocks.ts'
import type { Goodbyes } from '../connections/goodbyes.ts'
import { SEARCH_WIDTH } from '../constants.ts'
import { mergeOnInbound } from '../discovery/merge-on-inbound.ts'
import { ALPHA, type NetworkMerge } from '../discovery/network-merge.ts'
import { doorOf } from '../door/door.ts'
import { ExchangeClient } from '../exchange/exchange-client.ts'
import { ExchangeServer } from '../exchange/exchange-server.ts'
import { guardRecords } from '../kad/guard-records.ts'
import { KadChannel } from '../kad/kad-channel.ts'
import { type NodeParts, partsOf } from '../kad/node-parts.ts'
import { Lookups } from '../lookup/lookups.ts'
import { Publications } from '../operations/publications.ts'
import { IntroductionServer } from '../pages/introduction-server.ts'
import { type Access, accessBy } from '../peers/access.ts'
import { hostOf } from '../peers/host-of.ts'
import { cachePolicy } from '../reading/cache-policy.ts'
import { CachedReads } from '../reading/cached-reads.ts'
import { HotKeys } from '../reading/hot-keys.ts'
import { Replicas, type ReplicasInit } from '../reading/replicas.ts'
import { RecordStore } from '../store/record-store.ts'
import { sweepRegularly } from '../store/sweep.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { CompareClient } from '../upkeep/compare-client.ts'
import { compareServer } from '../upkeep/compare-server.ts'
import { Upkeep } from '../upkeep/upkeep.ts'
import { WatchServer } from '../watch/watch-server.ts'
import type { Watches } from '../watch/watches.ts'
import { ProtocolServer } from '../wire/protocol-server.ts'
import { Served } from '../wire/served.ts'
import { sleepDetector } from './after-sleep.ts'
import { changeMode } from './change-mode.ts'
import { createClockParts } from './clock-parts.ts'
import { ConnectionParts } from './connection-parts.ts'
import { createGatewayServer, createGateways, type GatewayParts } from './gateway-parts.ts'
import { joinPages } from './page-parts.ts'
import { createPeerParts, followNetwork, type PeerParts } from './peer-parts.ts'
import type { PartsInit } from './service-init.ts'
import { createWatches } from './watch-parts.ts'

/** Parts of a started service. */
export interface ServiceParts extends Omit<NodeParts, 'progress'>, PeerParts {
  readonly networkMerge: NetworkMerge
  readonly connections: ConnectionParts
  readonly exchange: ExchangeClient
  readonly caches: Caches
  readonly clocks: Clocks
  readonly reads: CachedReads
  readonly replicas: Replicas
  readonly publications: Publications
  readonly upkeep: Upkeep
  readonly watches: Watches
  readonly watchServer: WatchServer

  /** Counts the node's work for other peers. */
  readonly served: Served

  /** Aborted when the service stops. */
  readonly lifetime: AbortSignal

  /** Serves other peers from now on. */
  serve(): Promise<void>

  /** Serves them records and watches only. */
  serveRecords(): Promise<void>

  /** Follows kad-dht's mode: a node that becomes a client stops serving, and passes on its records. */
  becomes(mode: 'client' | 'server'): Promise<void>

  /** Stops serving. */
  stopServing(): Promise<void>

  /** Starts to follow events. */
  follow(): Promise<void>
  stop(): void
}

/** Creates the parts of one node's service, and passes each part the others that it uses. */
export function serviceParts(init: PartsInit): ServiceParts {
  const { components, events, limits, requestTimeoutMs } = init
  const { kad, mode, store } = partsOf(components)
  const stopping = new AbortController()
  const lifetime = stopping.signal
  setMaxListeners(Number.POSITIVE_INFINITY, lifetime) // Each listener to events is one of it, too.
  const door = doorOf(components)
  door.open({ limits, lifetime, onViolation: (peer, error) => peers.ban(peer, error) })
  const found = createLookup(init, (): Goodbyes => connections.goodbyes)
  const { caches, client, exchange, lookups, peers, protocols } = found
  const reads = createReads(init, found)
  const { watches, watchClient } = createWatches(init, { ...found, reads })
  const { clocks, clockTrust } = createClockParts(init, client, lifetime)
  const publications = new Publications(store.clock)
  const compare = new CompareClient({ ...client, records: exchange })
  protocols.push(watchClient, compare)
  const { server, ...servers } = createServers(init, { ...found, watches })
  const connections = new ConnectionParts({
    ...{ ...found, components, connections: init.connections, lifetime, requestTimeoutMs, server },
    clients: [watchClient, compare, found.gateways]
  })
  const networkMerge = createNetworkMerge(init, { ...found, connections }, lifetime)
  const upkeep = createUpkeep(init, { ...found, compare, networkMerge })
  const pages = joinPages(init, { ...found, cache: caches.cache, servers, upkeep })
  const sleep = sleepDetector(components, {
    ...{ clock: store.clock, clocks, clockTrust, events, liveness: found.liveness },
    caches: [caches.cache, caches.copies],
    ...{ replicas: found.replicas, publications, routing: found.routing, upkeep, watches }
  })

  return {
    ...{ ...found, clocks, connections, kad, lifetime, mode, networkMerge },
    ...{ reads, publications, store, upkeep, watches, ...servers },
    becomes: (mode) => changeMode(mode, { ...found, components, lifetime, servers, store, upkeep }),
    async follow() {
      sleep.follow(lifetime)
      events.addEventListener('peer:connect', () => publications.onPeer(), { signal: lifetime })
      sweepRegularly([store, ...Object.values(caches)], lifetime, () => sleep.check())
      clocks.follow(lifetime)
      guardRecords(kad, found.access, lifetime)
      upkeep.follow(events, lifetime)
      watches.follow(events, lifetime)
      connections.follow()
      await Promise.all([pages?.follow(lifetime), followNetwork(components, found, lifetime)])
    },
    stop() {
      stopping.abort(new AbortError('the node was stopped'))
      reads.close()
      publications.stop()
      watches.stop()
      servers.watchServer.stop()

      for (const part of [watchClient, exchange, compare, found.gateways, clocks, lookups]) {
        part.close()
      }
    }
  }
}

interface ServersInit extends LookupParts {
  readonly watches: Pick<Watches, 'forwarded'>
}

interface Servers
  extends Pick<ServiceParts, 'watchServer' | 'served' | 'serve' | 'serveRecords' | 'stopServing'> {
  readonly server: ProtocolServer
}

/** Creates the parts that serve other peers. */
function createServers(init: PartsInit, parts: ServersInit): Servers {
  const { components, limits, numReplicas, serveGateway } = init
  const { access, caches, goodbyes, routing, watches } = parts
  const { registrar } = components
  const { store } = partsOf(components)
  // All protocols share one scheduler, so a peer gains nothing by using several.
  const door = doorOf(components)
  const { buffers, scheduler } = door
  const served = new Served()
  const watchServer = new WatchServer({
    ...{ store, routing, numReplicas, served, serveGateway, forwarded: watches.forwarded },
    maxWatchersPerKey: limits.maxWatchersPerKey
  })
  const server = new ProtocolServer({
    ...{ access, buffers, limits, scheduler, served, network: store.network },
    onViolation: (peer, error) => door.reportViolation(peer, error)
  })
  const exchange = new ExchangeServer({
    ...{ access, store, ...caches, routing, served },
    isReplicaOf: (key) => parts.replicas.known.isReplicaOf(key),
    isSettled: () => routing.isSettled(),
    onRead: countReads(init, parts),
    onForgery: (peer, error) => door.forgive(peer, error),
    onGoodbye: (peer, reason) => goodbyes().hear(peer, reason)
  })
  const gateway = createGatewayServer(init, { ...parts, served })
  const introductions = createIntroductions(init)
  const serveRecords = async (): Promise<void> => {
    await server.handle(registrar, exchange)
    await server.handle(registrar, watchServer)
    await server.handle(registrar, clockServer(store.clock))
    await server.handle(registrar, compareServer(store))
  }
  return {
    ...{ server, served, watchServer, serveRecords },
    async serve() {
      await serveRecords()
      await server.handle(registrar, introductions)
      serveGateway && (await server.handle(registrar, gateway))
    },
    stopServing: () => server.unhandle(registrar)
  }
}

function createIntroductions({ components }: PartsInit): IntroductionServer {
  const { connectionManager } = components
  return new IntroductionServer({
    hostOf: (peer) => {
      const [connection] = connectionManager.getConnections(peer)
      return connection === undefined ? '' : hostOf(connection.remoteAddr)
    }
  })
}

/** Returns a callback that counts others' reads and sends copies; undefined if this node sends none. */
function countReads(
  { cache, numReplicas }: PartsInit,
  { replicas, routing }: LookupParts
): ((key: Uint8Array) => void) | undefined {
  if (cache === false || cachePolicy(cache).nearest === 0) {
    return undefined
  }

  const hotKeys = new HotKeys({
    ...{ routing, numReplicas },
    held: (key) => replicas.known.held(key),
    send: (key, record, to) => replicas.cacheOnPath(key, record, to)
  })
  return (key) => hotKeys.count(key)
}

interface LookupParts extends PeerParts, GatewayParts {
  readonly access: Access
  readonly caches: Caches
  readonly exchange: ExchangeClient
  readonly lookups: Lookups
  readonly replicas: Replicas
  readonly replicasInit: ReplicasInit

  /** The protocols of requests to peers. Some are added later. */
  readonly protocols: { progressMs(peer: PeerInfo): number }[]

  /** Created later, because closing connections depends on the activity of the protocols. */
  readonly goodbyes: () => Goodbyes
}

/** Creates the parts that find peers and read from them. */
function createLookup(init: PartsInit, goodbyes: () => Goodbyes): LookupParts {
  const { components, numReplicas, requestTimeoutMs, role } = init
  const { progress, store } = partsOf(components)
  const found = createPeerParts(init)
  const { client, peers, routing } = found
  const exchange = createExchangeClient(init, client, goodbyes)
  const protocols: LookupParts['protocols'] = [exchange, progress]
  const lookups = new Lookups({
    ...{ peers, requestTimeoutMs },
    isReady: (peer) => exchange.isReady(peer) || peers.isConnected(peer.id),
    progressMs: (peer) => Math.max(...protocols.map((protocol) => protocol.progressMs(peer)))
  })
  const caches = createCaches(init)
  const readers = createGateways(init, { ...found, lookups })
  protocols.push(readers.gateways)
  const replicasInit = {
    ...{ self: components.peerId, numReplicas, beyondReach: readers.beyondReach },
    ...{ cache: caches.cache, store, channel: exchange, routing, lookups },
    isReplica: () => role.isReplica,
    mayLack: () => role.mayLack
  }
  const replicas = new Replicas(replicasInit)
  const access = accessBy(init.allowPeer)
  return {
    ...{ ...found, ...readers, access, caches, exchange, goodbyes },
    ...{ lookups, protocols, replicas, replicasInit }
  }
}

/** Hand-overs are bulk, which other requests may pass. */
const HAND_OVER: CancellationToken = { isCancelled: false, isBulk: true }

interface UpkeepPartsInit extends LookupParts {
  readonly compare: CompareClient
  readonly networkMerge: NetworkMerge
}

function createUpkeep(
  { components, meter, numReplicas, role }: PartsInit,
  { compare, exchange, lookups, networkMerge, replicas, routing }: UpkeepPartsInit
): Upkeep {
  const { logger, peerId } = components
  const { store } = partsOf(components)
  return new Upkeep({
    self: { id: peerId, multiaddrs: [] },
    ...{ store, numReplicas, isReplica: () => role.isReplica },
    members: () => routing.members(),
    isNear: (peer) => routing.isNear(peer),
    async send(to, key, record) {
      const options = { closerCount: 0, cancellation: HAND_OVER }
      await lookups.inTime(to, exchange.store(to, key, record, options))
      meter?.countHandOver(encodedSize(record))
    },
    async holds(peer, key) {
      const asked = exchange.find(peer, key, { closerCount: 0, isCloserAlways: true })
      return (await lookups.inTime(peer, asked)).record !== undefined
    },
    fingerprints: (peer, keys) => lookups.inTime(peer, compare.fingerprints(peer, keys)),
    async reconcile(key) {
      const reading = await replicas.read(key, { latest: true, cancellation: ALWAYS })
      await replicas.repair(key, reading)
    },
    // The nearest ones suffice: a peer that joins near this node dials them, too.
    findNeighbours: () =>
      networkMerge.refresh(routing.connectedNeighbours(SEARCH_WIDTH).slice(0, ALPHA)),
    log: logger.forComponent('waggle:upkeep')
  })
}

function createReads(
  { cache, components, meter }: PartsInit,
  { replicas }: LookupParts
): CachedReads {
  const policy = cachePolicy(cache || {})
  const log = components.logger.forComponent('waggle:cache')
  return new CachedReads({ replicas, policy, log, meter })
}

function createExchangeClient(
  { components, requestTimeoutMs }: PartsInit,
  client: PeerParts['client'],
  goodbyes: () => Goodbyes
): ExchangeClient {
  const { connectionManager, logger } = components
  const { kad, progress, store } = partsOf(components)
  const { dialer } = client
  const log = logger.forComponent('waggle:exchange')
  const kadChannel = new KadChannel({
    ...{ connectionManager, dialer, kad, log, progress, requestTimeoutMs, store }
  })
  return new ExchangeClient({
    ...{ ...client, log, requestTimeoutMs, store, kadChannel },
    onGoodbye: (peer, reason) => goodbyes().hear(peer, reason)
  })
}

interface MergePartsInit extends LookupParts {
  readonly connections: ConnectionParts
}

function createNetworkMerge(
  { components, events, requestTimeoutMs }: PartsInit,
  { client, connections, exchange: channel, peers, routing }: MergePartsInit,
  lifetime: AbortSignal
): NetworkMerge {
  const { connectionManager, peerId } = components
  return mergeOnInbound(
    {
      ...{ self: peerId, connectionManager, events, channel, peers, routing, requestTimeoutMs },
      dialer: client.dialer,
      // Knowing a neighbour in advance saves upkeep more dials than finding it costs.
      neighbourCount: () => Math.min(SEARCH_WIDTH, 2 * connections.budget.low)
    },
    lifetime
  )
}

const ALWAYS: CancellationToken = { isCancelled: false }

/** Records of a node besides those that it stores for others. */
interface Caches {
  /** Records that it has read itself. */
  readonly cache: RecordStore | undefined

  /** Copies that other peers have left here. */
  readonly copies: RecordStore | undefined
}

/** Size of the copies' store, as a share of the cache's limits, in addition to these. */
const COPIES_SHARE = 1 / 4

/** Creates the caches: stores under the same rules, whose records do not count as stored for other peers. */
function createCaches({
  cache: options,
  components,
  limits: { maxCachedBytes }
}: PartsInit): Caches {
  if (options === false) {
    return { cache: undefined, copies: undefined }
  }

  const { limits, clock, network } = partsOf(components).store
  const { size } = cachePolicy(options)
  const storeOf = (share: number): RecordStore =>
    new RecordStore({
      ...{ limits, clock, network },
      maxRecords: Math.ceil(share * size),
      maxBytes: Math.ceil(share * maxCachedBytes)
    })
  return { cache: storeOf(1), copies: storeOf(COPIES_SHARE) }
}
