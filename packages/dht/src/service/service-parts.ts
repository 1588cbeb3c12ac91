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
import { type Access, accessBy } from '../peers/access.ts'
import { cachePolicy } from '../reading/cache-policy.ts'
import { CachedReads } from '../reading/cached-reads.ts'
import { HotKeys } from '../reading/hot-keys.ts'
import { Replicas } from '../reading/replicas.ts'
import { dropDuplicates } from '../store/drop-duplicates.ts'
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
import { createClockParts } from './clock-parts.ts'
import { ConnectionParts } from './connection-parts.ts'
import { identifyAgain } from './identify-again.ts'
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

  /** Counts what is done for other peers. */
  readonly served: Served

  /** Aborted when the service stops. */
  readonly lifetime: AbortSignal

  /** Serves other peers from now on. */
  serve(): Promise<void>

  /** Follows kad-dht's mode: a client serves nobody, and passes on what it holds. */
  becomes(mode: 'client' | 'server'): Promise<void>

  /** Serves nobody any more. */
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
    clients: [watchClient, compare]
  })
  const networkMerge = createNetworkMerge(init, { ...found, connections }, lifetime)
  const upkeep = createUpkeep(init, { ...found, compare, networkMerge })
  const sleep = sleepDetector(components, {
    ...{ clock: store.clock, clocks, clockTrust, events, liveness: found.liveness },
    copies: caches.copies,
    ...{ replicas: found.replicas, publications, upkeep, watches }
  })

  return {
    ...{ ...found, clocks, connections, kad, lifetime, mode, networkMerge },
    ...{ reads, publications },
    ...{ store, upkeep, watches, ...servers },
    becomes: (mode) => changeMode(mode, { ...found, components, lifetime, servers, store, upkeep }),
    async follow() {
      sleep.follow(lifetime)
      sweepRegularly([store, ...Object.values(caches)], lifetime, () => sleep.look())
      clocks.follow(lifetime)
      guardRecords(kad, found.access, lifetime)
      upkeep.follow(events, lifetime)
      watches.follow(events, lifetime)
      connections.follow()
      await followNetwork(components, found, lifetime)
    },
    stop() {
      stopping.abort(new AbortError('the node was stopped'))
      reads.close()
      publications.stop()
      watches.stop()
      servers.watchServer.stop()
      door.buffers.stop()

      for (const part of [watchClient, exchange, compare, clocks, lookups]) {
        part.close()
      }
    }
  }
}

interface ModeParts
  extends Pick<ServiceParts, 'lifetime' | 'routing' | 'store' | 'upkeep'>,
    Pick<PartsInit, 'components'> {
  readonly servers: Pick<ServiceParts, 'serve' | 'stopServing'>
}

/** Serves others from now on, or passes on what this node holds and serves nobody. */
async function changeMode(
  mode: 'client' | 'server',
  { components, lifetime, routing, servers, store, upkeep }: ModeParts
): Promise<void> {
  if (mode === 'server') {
    await servers.serve()
    const { connectionManager, logger, peerId: self } = components
    const log = logger.forComponent('waggle:identify-again')
    // Takes seconds, and the application need not wait for it.
    void identifyAgain({ connectionManager, routing, self, lifetime, log })
    return
  }

  await servers.stopServing()
  await upkeep.leave()
  store.clear()
}

interface ServersInit extends LookupParts {
  readonly watches: Pick<Watches, 'forwarded'>
}

interface Servers extends Pick<ServiceParts, 'watchServer' | 'served' | 'serve' | 'stopServing'> {
  readonly server: ProtocolServer
}

/** Creates what serves other peers. */
function createServers(init: PartsInit, parts: ServersInit): Servers {
  const { components, limits, numReplicas } = init
  const { access, caches, goodbyes, routing, watches } = parts
  const { registrar } = components
  const { store } = partsOf(components)
  // All protocols share one scheduler, so that a peer gets no more by using several of them.
  const door = doorOf(components)
  const { buffers, scheduler } = door
  const served = new Served()
  const watchServer = new WatchServer({
    ...{ store, routing, numReplicas, served, forwarded: watches.forwarded },
    maxWatchersPerKey: limits.maxWatchersPerKey
  })
  const server = new ProtocolServer({
    ...{ access, buffers, limits, scheduler, served, network: store.network },
    onViolation: (peer, error) => door.reportViolation(peer, error)
  })
  const exchange = new ExchangeServer({
    ...{ access, store, ...caches, routing, served },
    isReplicaOf: (key) => parts.replicas.known.isReplicaOf(key),
    onRead: countReads(init, parts),
    onForgery: (peer, error) => door.forgive(peer, error),
    onGoodbye: (peer, reason) => goodbyes().hear(peer, reason)
  })
  return {
    ...{ server, served, watchServer },
    async serve() {
      await server.handle(registrar, exchange)
      await server.handle(registrar, watchServer)
      await server.handle(registrar, clockServer(store.clock))
      await server.handle(registrar, compareServer(store))
    },
    stopServing: () => server.unhandle(registrar)
  }
}

/** Returns what counts reads by others, and leaves copies; undefined if this node sends no copies. */
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

interface LookupParts extends PeerParts {
  readonly access: Access
  readonly caches: Caches
  readonly exchange: ExchangeClient
  readonly lookups: Lookups
  readonly replicas: Replicas

  /** The protocols by which peers are asked. Some are added later. */
  readonly protocols: { progressMs(peer: PeerInfo): number }[]

  /** Made later: connections are closed by what is under way on them. */
  readonly goodbyes: () => Goodbyes
}

/** Creates what finds peers and reads from them. */
function createLookup(init: PartsInit, goodbyes: () => Goodbyes): LookupParts {
  const { components, numReplicas, requestTimeoutMs } = init
  const { kad, progress, store } = partsOf(components)
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
  const replicas = new Replicas({
    self: components.peerId,
    ...{ cache: caches.cache, parts: caches.parts, store },
    ...{ channel: exchange, routing, lookups, numReplicas },
    isReplica: () => kad.getMode() === 'server'
  })
  const access = accessBy(init.allowPeer)
  return { ...found, access, caches, exchange, goodbyes, lookups, protocols, replicas }
}

/** Hand-overs let others pass. */
const HAND_OVER: CancellationToken = { isCancelled: false, isBulk: true }

interface UpkeepPartsInit extends LookupParts {
  readonly compare: CompareClient
  readonly networkMerge: NetworkMerge
}

function createUpkeep(
  { components, meter, numReplicas }: PartsInit,
  { compare, exchange, lookups, networkMerge, replicas, routing }: UpkeepPartsInit
): Upkeep {
  const { logger, peerId } = components
  const { kad, store } = partsOf(components)
  return new Upkeep({
    self: { id: peerId, multiaddrs: [] },
    ...{ store, numReplicas, isReplica: () => kad.getMode() === 'server' },
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
    // The nearest ones know all that matters: whoever joins near this node dials them, too.
    lookAround: () =>
      networkMerge.refresh(routing.connectedNeighbours(SEARCH_WIDTH).slice(0, ALPHA)),
    log: logger.forComponent('waggle:upkeep')
  })
}

function createReads(
  { cache, components, meter }: PartsInit,
  { caches, replicas }: LookupParts
): CachedReads {
  const { store } = partsOf(components)
  const policy = cachePolicy(cache || {})
  const log = components.logger.forComponent('waggle:cache')

  if (caches.cache !== undefined) {
    const isReplicaOf = (key: Uint8Array): boolean => replicas.known.isReplicaOf(key)
    dropDuplicates({ cache: caches.cache, store, isReplicaOf })
  }

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
      // A neighbour that is known before it is needed saves upkeep more dials than meeting it costs.
      neighbourCount: () => Math.min(SEARCH_WIDTH, 2 * connections.budget.low)
    },
    lifetime
  )
}

const ALWAYS: CancellationToken = { isCancelled: false }

/** What a node holds besides the records that it stores for others. */
interface Caches {
  /** What it has learned itself. */
  readonly cache: RecordStore | undefined

  /** What others have left here. */
  readonly copies: RecordStore | undefined

  /** What it has learned of single subkeys, where it does not know the whole. */
  readonly parts: RecordStore | undefined
}

/** Share of the cache's limits that the copies of others may take besides, and single subkeys as much again. */
const COPIES_SHARE = 1 / 4

/** Creates the caches: stores by the same rules, whose records this node stores for no other peer. */
function createCaches({
  cache: options,
  components,
  limits: { maxCachedBytes }
}: PartsInit): Caches {
  if (options === false) {
    return { cache: undefined, copies: undefined, parts: undefined }
  }

  const { limits, clock, network } = partsOf(components).store
  const { size } = cachePolicy(options)
  const storeOf = (share: number): RecordStore =>
    new RecordStore({
      ...{ limits, clock, network },
      maxRecords: Math.ceil(share * size),
      maxBytes: Math.ceil(share * maxCachedBytes)
    })
  return { cache: storeOf(1), copies: storeOf(COPIES_SHARE), parts: storeOf(COPIES_SHARE) }
}
