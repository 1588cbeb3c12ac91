import { AbortError, type PeerId, type TypedEventTarget } from '@libp2p/interface'
import { encodedSize } from '@waggle/record/replica'
import { setMaxListeners } from 'main-event'
import type { BufferLimits } from '../admission/buffer-limits.ts'
import { clockServer } from '../clock/clock-server.ts'
import { Clocks } from '../clock/clocks.ts'
import { SEARCH_WIDTH } from '../constants.ts'
import { mergeOnInbound } from '../discovery/merge-on-inbound.ts'
import type { NetworkMerge } from '../discovery/network-merge.ts'
import { doorOf } from '../door/door.ts'
import type { DHTEvents } from '../events.ts'
import { ExchangeClient } from '../exchange/exchange-client.ts'
import { ExchangeServer } from '../exchange/exchange-server.ts'
import { followPeers } from '../kad/follow-peers.ts'
import { guardRecords } from '../kad/guard-records.ts'
import { KadChannel } from '../kad/kad-channel.ts'
import { type NodeParts, partsOf } from '../kad/node-parts.ts'
import { Lookups } from '../lookup/lookups.ts'
import type { Meter } from '../metrics/meter.ts'
import type { NodeLimits } from '../node-limits.ts'
import { Republisher } from '../operations/republisher.ts'
import { type Access, type AllowPeer, accessBy } from '../peers/access.ts'
import { followConnections } from '../peers/follow-connections.ts'
import { KnownPeers } from '../peers/known-peers.ts'
import { PeerBook } from '../peers/peer-book.ts'
import { type CachePolicy, cachePolicy } from '../reading/cache-policy.ts'
import { CachedReads } from '../reading/cached-reads.ts'
import { Replicas } from '../reading/replicas.ts'
import { dropDuplicates } from '../store/drop-duplicates.ts'
import type { Judge } from '../store/received-record.ts'
import { RecordStore } from '../store/record-store.ts'
import { sweepRegularly } from '../store/sweep.ts'
import { CompareClient } from '../upkeep/compare-client.ts'
import { compareServer } from '../upkeep/compare-server.ts'
import { Upkeep } from '../upkeep/upkeep.ts'
import { WatchClient } from '../watch/watch-client.ts'
import { WatchServer } from '../watch/watch-server.ts'
import { Watches } from '../watch/watches.ts'
import { Dialer } from '../wire/dialer.ts'
import type { ClientParts } from '../wire/protocol-client.ts'
import { ProtocolServer } from '../wire/protocol-server.ts'
import type { WaggleComponents } from './service-interface.ts'
import type { WaggleInit } from './service-options.ts'

/** {@link WaggleInit} with its defaults. */
export type ServiceInit = {
  readonly [K in 'numReplicas' | 'requestTimeoutMs' | 'cache']: NonNullable<WaggleInit[K]>
} & {
  readonly limits: NodeLimits
  readonly allowPeer: AllowPeer | undefined
}

export interface PartsInit extends ServiceInit {
  readonly components: WaggleComponents

  /** Counts what is done. Undefined: no metrics. */
  readonly meter: Meter | undefined

  /** Receives the events of the service. */
  readonly events: TypedEventTarget<DHTEvents>
}

/** Parts of a started service. */
export interface ServiceParts extends NodeParts {
  readonly networkMerge: NetworkMerge
  readonly peers: PeerBook
  readonly exchange: ExchangeClient
  readonly cache: RecordStore | undefined
  readonly clocks: Clocks
  readonly reads: CachedReads
  readonly replicas: Replicas
  readonly republisher: Republisher
  readonly routing: KnownPeers
  readonly upkeep: Upkeep
  readonly watches: Watches
  readonly watchServer: WatchServer

  /** Aborted when the service stops. */
  readonly lifetime: AbortSignal

  /** Serves other peers from now on. */
  serve(): Promise<void>

  /** Serves nobody any more. */
  stopServing(): Promise<void>

  /** Starts to follow events. */
  follow(): Promise<void>
  stop(): void
}

/** Creates the parts of one node's service, and passes each part the others that it uses. */
export function serviceParts(init: PartsInit): ServiceParts {
  const { components, events, limits } = init
  const { kad, store } = partsOf(components)
  const stopping = new AbortController()
  const lifetime = stopping.signal
  // Each listener to events listens to this signal, too, and Node 22 warns of more than ten.
  setMaxListeners(Number.POSITIVE_INFINITY, lifetime)
  const door = doorOf(components)
  door.open({ limits, onViolation: (peer, error) => peers.ban(peer, error) })
  const { buffers } = door
  const found = createLookup(init, buffers)
  const { peers, routing, exchange, lookups, replicas, client } = found
  const { cache, reads } = createReads(init, replicas)
  const { watches, watchClient } = createWatches(init, { ...found, reads })
  const clocks = createClocks(init, client)
  const republisher = new Republisher({
    clock: store.clock,
    log: components.logger.forComponent('waggle:republish')
  })
  const compare = new CompareClient({ ...client, records: exchange })
  const upkeep = createUpkeep(init, { ...found, compare })
  const servers = createServers(init, { ...found, buffers, cache })

  return {
    ...{ peers, exchange, cache, clocks, kad, lifetime, reads },
    ...{ replicas, republisher, routing, store, upkeep, watches, ...servers },
    networkMerge: createNetworkMerge(init, found, lifetime),
    async follow() {
      sweepRegularly([store, cache], lifetime)
      clocks.follow(lifetime)
      guardRecords(kad, found.access, lifetime)
      upkeep.follow(events, lifetime)
      watches.follow(events, lifetime)
      await followNetwork(components, found, lifetime)
    },
    stop() {
      stopping.abort(new AbortError('the node was stopped'))
      reads.close()
      republisher.stop()
      watches.stop()
      servers.watchServer.stop()
      buffers.stop()

      for (const part of [watchClient, exchange, compare, clocks, lookups]) {
        part.close()
      }
    }
  }
}

interface ServersInit extends LookupParts {
  readonly buffers: BufferLimits
  readonly cache: RecordStore | undefined
}

/** Creates what serves other peers. */
function createServers(
  { components, limits }: PartsInit,
  { access, buffers, cache, peers, routing }: ServersInit
): Pick<ServiceParts, 'watchServer' | 'serve' | 'stopServing'> {
  const { registrar } = components
  const { store } = partsOf(components)
  // All protocols share one scheduler, so that a peer gets no more by using several of them.
  const door = doorOf(components)
  const { scheduler } = door
  const onForgery = (peer: PeerId, error: Error): void => door.forgive(peer, error)
  const watchServer = new WatchServer({ store, routing })
  const server = new ProtocolServer({
    ...{ access, buffers, limits, scheduler },
    onViolation: (peer, error) => peers.ban(peer, error)
  })
  return {
    watchServer,
    async serve() {
      await server.handle(
        registrar,
        new ExchangeServer({ access, store, cache, routing, onForgery })
      )
      await server.handle(registrar, watchServer)
      await server.handle(registrar, clockServer(store.clock))
      await server.handle(registrar, compareServer(store))
    },
    stopServing: () => server.unhandle(registrar)
  }
}

type NodeClientParts = ClientParts & Pick<Judge, 'onForgery'> & { readonly dialer: Dialer }

interface LookupParts {
  readonly access: Access
  readonly peers: PeerBook
  readonly routing: KnownPeers
  readonly exchange: ExchangeClient
  readonly lookups: Lookups
  readonly replicas: Replicas

  /** Parts that the clients of all protocols share. */
  readonly client: NodeClientParts
}

/** Creates what finds peers and reads from them. */
function createLookup(init: PartsInit, buffers: BufferLimits): LookupParts {
  const { components, numReplicas, requestTimeoutMs } = init
  const { kad, store } = partsOf(components)
  const { connectionManager, peerId: self } = components
  const { peers, routing } = createPeers(init)
  const dialer = new Dialer({ connectionManager, peers, requestTimeoutMs })
  const door = doorOf(components)
  const onForgery = (peer: PeerId, error: Error): void => door.forgive(peer, error)
  const client = { buffers, dialer, peers, onForgery }
  const exchange = createExchangeClient(init, client)
  const lookups = new Lookups({
    ...{ peers, requestTimeoutMs },
    isReady: (peer) => exchange.isReady(peer)
  })
  const replicas = new Replicas({
    ...{ self, store, channel: exchange, routing, lookups, numReplicas },
    isReplica: () => kad.getMode() === 'server'
  })
  const access = accessBy(init.allowPeer)

  return { access, peers, routing, exchange, lookups, replicas, client }
}

/** Creates what is known of peers. */
function createPeers({ components, events }: PartsInit): {
  peers: PeerBook
  routing: KnownPeers
} {
  const { connectionManager, logger } = components
  const log = logger.forComponent('waggle:bans')
  const peers = new PeerBook({
    dials: doorOf(components).dials,
    // kad-dht's table keeps dead peers.
    onGiveUp: (peer) => routing.forget(peer),
    onBan(peer, error, forMs) {
      log('%p violated the protocol and is banned for %d ms - %e', peer, forMs, error)
      routing.setInTable(peer, false)

      for (const connection of connectionManager.getConnections(peer)) {
        connection.abort(error)
      }
    }
  })
  const routing = new KnownPeers({
    records: peers.records,
    onJoin: (detail) => events.safeDispatchEvent('peer:join', { detail }),
    onLeave: (detail) => events.safeDispatchEvent('peer:leave', { detail })
  })
  return { peers, routing }
}

/** Updates what is known of peers from libp2p and kad-dht. */
async function followNetwork(
  components: WaggleComponents,
  { peers, routing: known }: LookupParts,
  lifetime: AbortSignal
): Promise<void> {
  const { connectionManager, events, peerStore, registrar } = components
  const { kad } = partsOf(components)
  followConnections({ connectionManager, events, peers }, lifetime)
  await followPeers({ peerStore, registrar, events, kad, known, peers }, lifetime)
}

function createUpkeep(
  { components, meter, numReplicas }: PartsInit,
  { compare, exchange, lookups, replicas, routing }: LookupParts & { compare: CompareClient }
): Upkeep {
  const { logger, peerId } = components
  const { kad, store } = partsOf(components)
  return new Upkeep({
    self: { id: peerId, multiaddrs: [] },
    ...{ store, numReplicas, isReplica: () => kad.getMode() === 'server' },
    members: () => routing.members(),
    async send(to, key, record) {
      await lookups.inTime(to, exchange.store(to, key, record, { closerCount: 0 }))
      meter?.handedOver(encodedSize(record))
    },
    async holds(peer, key) {
      const asked = exchange.find(peer, key, { closerCount: 0, isCloserAlways: true })
      return (await lookups.inTime(peer, asked)).record !== undefined
    },
    fingerprints: (peer, keys) => compare.fingerprints(peer, keys),
    lookAround: () =>
      replicas.nearest(peerId.toMultihash().bytes, SEARCH_WIDTH, { isCancelled: false }),
    log: logger.forComponent('waggle:upkeep')
  })
}

function createReads(
  { cache: options, components, limits, meter }: PartsInit,
  replicas: Replicas
): { cache: RecordStore | undefined; reads: CachedReads } {
  const { store } = partsOf(components)
  const policy = cachePolicy(options || {})
  const cache = options === false ? undefined : createCache(store, policy, limits)
  const log = components.logger.forComponent('waggle:cache')
  return { cache, reads: new CachedReads({ replicas, store, cache, policy, log, meter }) }
}

interface WatchingParts extends LookupParts {
  readonly reads: CachedReads
}

/** Creates what watches keys at other peers. */
function createWatches(
  { components, numReplicas }: PartsInit,
  { client, exchange: records, replicas, reads }: WatchingParts
): { watches: Watches; watchClient: WatchClient } {
  const { store } = partsOf(components)
  const log = components.logger.forComponent('waggle:watch')
  const watchClient = new WatchClient({
    ...{ ...client, log, store, records },
    onChange: (key, record) => watches.onChange(key, record),
    onLost: (peer) => watches.onLost(peer)
  })
  const watches = new Watches({
    ...{ channel: watchClient, log, numReplicas, replicas, store },
    readLatest: async (key, cancellation) => reads.read(key, { latest: true, cancellation })
  })
  return { watches, watchClient }
}

function createExchangeClient(
  { components, requestTimeoutMs }: PartsInit,
  client: NodeClientParts
): ExchangeClient {
  const { connectionManager, logger } = components
  const { kad, store } = partsOf(components)
  const { dialer } = client
  const log = logger.forComponent('waggle:exchange')
  const kadChannel = new KadChannel({
    ...{ connectionManager, dialer, kad, log, requestTimeoutMs, store }
  })
  return new ExchangeClient({ ...client, log, requestTimeoutMs, store, kadChannel })
}

function createNetworkMerge(
  { components, events, requestTimeoutMs }: PartsInit,
  { peers, routing, client: { dialer } }: LookupParts,
  lifetime: AbortSignal
): NetworkMerge {
  const { connectionManager, peerId } = components
  const { kad } = partsOf(components)
  return mergeOnInbound(
    { self: peerId, connectionManager, dialer, events, kad, peers, routing, requestTimeoutMs },
    lifetime
  )
}

function createClocks(
  { components, events, requestTimeoutMs }: PartsInit,
  client: ClientParts
): Clocks {
  const { clock } = partsOf(components).store
  const log = components.logger.forComponent('waggle:clock')
  return new Clocks({ ...client, events, log, clock, requestTimeoutMs })
}

/** Creates the cache: a second store by the same rules, whose records this node stores for no other peer. */
function createCache(
  store: RecordStore,
  { maxRecords }: CachePolicy,
  { maxCachedBytes }: NodeLimits
): RecordStore {
  const { limits, clock } = store
  const cache = new RecordStore({ limits, clock, maxRecords, maxBytes: maxCachedBytes })
  dropDuplicates(cache, store)
  return cache
}
