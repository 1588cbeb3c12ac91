import { AbortError } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { setMaxListeners } from 'main-event'
import type { BufferLimits } from '../admission/buffer-limits.ts'
import { clockServer } from '../clock/clock-server.ts'
import { Clocks } from '../clock/clocks.ts'
import type { Goodbyes } from '../connections/goodbyes.ts'
import { SEARCH_WIDTH } from '../constants.ts'
import { mergeOnInbound } from '../discovery/merge-on-inbound.ts'
import type { NetworkMerge } from '../discovery/network-merge.ts'
import { doorOf } from '../door/door.ts'
import { ExchangeClient } from '../exchange/exchange-client.ts'
import { ExchangeServer } from '../exchange/exchange-server.ts'
import { guardRecords } from '../kad/guard-records.ts'
import { KadChannel } from '../kad/kad-channel.ts'
import { type NodeParts, partsOf } from '../kad/node-parts.ts'
import { Lookups } from '../lookup/lookups.ts'
import type { NodeLimits } from '../node-limits.ts'
import { Republisher } from '../operations/republisher.ts'
import { type Access, accessBy } from '../peers/access.ts'
import { type CachePolicy, cachePolicy } from '../reading/cache-policy.ts'
import { CachedReads } from '../reading/cached-reads.ts'
import { Replicas } from '../reading/replicas.ts'
import { dropDuplicates } from '../store/drop-duplicates.ts'
import { RecordStore } from '../store/record-store.ts'
import { sweepRegularly } from '../store/sweep.ts'
import { CompareClient } from '../upkeep/compare-client.ts'
import { compareServer } from '../upkeep/compare-server.ts'
import { Upkeep } from '../upkeep/upkeep.ts'
import type { RelayedKeys } from '../watch/relayed-keys.ts'
import { WatchClient } from '../watch/watch-client.ts'
import { WatchServer } from '../watch/watch-server.ts'
import { Watches } from '../watch/watches.ts'
import type { ClientParts } from '../wire/protocol-client.ts'
import { ProtocolServer } from '../wire/protocol-server.ts'
import { ConnectionParts } from './connection-parts.ts'
import { createPeerParts, followNetwork, type PeerParts } from './peer-parts.ts'
import type { PartsInit } from './service-init.ts'

/** Parts of a started service. */
export interface ServiceParts extends NodeParts, PeerParts {
  readonly networkMerge: NetworkMerge
  readonly connections: ConnectionParts
  readonly exchange: ExchangeClient
  readonly cache: RecordStore | undefined
  readonly clocks: Clocks
  readonly reads: CachedReads
  readonly replicas: Replicas
  readonly republisher: Republisher
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
  const { components, events, limits, requestTimeoutMs } = init
  const { kad, store } = partsOf(components)
  const stopping = new AbortController()
  const lifetime = stopping.signal
  // Each listener to events is one of this signal, too, and Node 22 warns of more than ten.
  setMaxListeners(Number.POSITIVE_INFINITY, lifetime)
  const door = doorOf(components)
  door.open({ limits, onViolation: (peer, error) => peers.ban(peer, error) })
  const { buffers } = door
  const found = createLookup(init, buffers, (): Goodbyes => connections.goodbyes)
  const { client, exchange, lookups, peers, replicas } = found
  const { cache, reads } = createReads(init, replicas)
  const { watches, watchClient } = createWatches(init, {
    ...{ ...found, reads },
    onRelayed: (name, record) => servers.watchServer.onRelayed(name, record)
  })
  const clocks = createClocks(init, client)
  const republisher = new Republisher({
    clock: store.clock,
    log: components.logger.forComponent('waggle:republish')
  })
  const compare = new CompareClient({ ...client, records: exchange })
  const { server, ...servers } = createServers(init, {
    ...{ ...found, buffers, cache },
    relayed: watches.relayed
  })
  const connections = new ConnectionParts({
    ...{ ...found, components, connections: init.connections, lifetime, requestTimeoutMs, server },
    clients: [watchClient, compare]
  })
  const networkMerge = createNetworkMerge(init, { ...found, connections }, lifetime)
  const upkeep = createUpkeep(init, { ...found, compare, networkMerge })

  return {
    ...{ ...found, cache, clocks, connections, kad, lifetime, networkMerge, reads, republisher },
    ...{ store, upkeep, watches, ...servers },
    async follow() {
      sweepRegularly([store, cache], lifetime)
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
  readonly relayed: RelayedKeys
}

interface Servers extends Pick<ServiceParts, 'watchServer' | 'serve' | 'stopServing'> {
  readonly server: ProtocolServer
}

/** Creates what serves other peers. */
function createServers(
  { components, limits, numReplicas }: PartsInit,
  { access, buffers, cache, goodbyes, peers, relayed, routing }: ServersInit
): Servers {
  const { registrar } = components
  const { store } = partsOf(components)
  // All protocols share one scheduler, so that a peer gets no more by using several of them.
  const { scheduler } = doorOf(components)
  const watchServer = new WatchServer({
    ...{ store, routing, numReplicas, relayed },
    maxWatchersPerKey: limits.maxWatchersPerKey
  })
  const server = new ProtocolServer({
    ...{ access, buffers, limits, scheduler },
    onViolation: (peer, error) => peers.ban(peer, error)
  })
  const exchange = new ExchangeServer({
    ...{ access, store, cache, routing },
    onGoodbye: (peer, reason) => goodbyes().hear(peer, reason)
  })
  return {
    ...{ server, watchServer },
    async serve() {
      await server.handle(registrar, exchange)
      await server.handle(registrar, watchServer)
      await server.handle(registrar, clockServer(store.clock))
      await server.handle(registrar, compareServer(store))
    },
    stopServing: () => server.unhandle(registrar)
  }
}

interface LookupParts extends PeerParts {
  readonly access: Access
  readonly exchange: ExchangeClient
  readonly lookups: Lookups
  readonly replicas: Replicas

  /** Made later: connections are closed by what is under way on them. */
  readonly goodbyes: () => Goodbyes
}

/** Creates what finds peers and reads from them. */
function createLookup(
  init: PartsInit,
  buffers: BufferLimits,
  goodbyes: () => Goodbyes
): LookupParts {
  const { components, numReplicas, requestTimeoutMs } = init
  const { kad, store } = partsOf(components)
  const found = createPeerParts(init, buffers)
  const { client, peers, routing } = found
  const exchange = createExchangeClient(init, client, goodbyes)
  const lookups = new Lookups({
    ...{ peers, requestTimeoutMs },
    isReady: (peer) => exchange.isReady(peer) || peers.isConnected(peer.id)
  })
  const replicas = new Replicas({
    self: components.peerId,
    ...{ store, channel: exchange, routing, lookups, numReplicas },
    isReplica: () => kad.getMode() === 'server'
  })
  const access = accessBy(init.allowPeer)
  return { ...found, access, exchange, goodbyes, lookups, replicas }
}

interface UpkeepPartsInit extends LookupParts {
  readonly compare: CompareClient
  readonly networkMerge: NetworkMerge
}

function createUpkeep(
  { components, meter, numReplicas }: PartsInit,
  { compare, exchange, lookups, networkMerge, routing }: UpkeepPartsInit
): Upkeep {
  const { logger, peerId } = components
  const { kad, store } = partsOf(components)
  return new Upkeep({
    self: { id: peerId, multiaddrs: [] },
    ...{ store, numReplicas, isReplica: () => kad.getMode() === 'server' },
    members: () => routing.members(),
    isNear: (peer) => routing.isNear(peer),
    async send(to, key, record) {
      await lookups.inTime(to, exchange.store(to, key, record, { closerCount: 0 }))
      meter?.countHandOver(encodedSize(record))
    },
    async holds(peer, key) {
      const asked = exchange.find(peer, key, { closerCount: 0, isCloserAlways: true })
      return (await lookups.inTime(peer, asked)).record !== undefined
    },
    fingerprints: (peer, keys) => compare.fingerprints(peer, keys),
    lookAround: () => networkMerge.refresh(routing.connectedNeighbours(SEARCH_WIDTH)),
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
  readonly onRelayed: (name: string, record: DHTRecord) => void
}

/** Creates what watches keys at other peers. */
function createWatches(
  { components, numReplicas }: PartsInit,
  { client, exchange: records, lookups, onRelayed, replicas, reads }: WatchingParts
): { watches: Watches; watchClient: WatchClient } {
  const { store } = partsOf(components)
  const log = components.logger.forComponent('waggle:watch')
  const watchClient = new WatchClient({
    ...{ ...client, log, store, records },
    onChange: (key, record) => watches.onChange(key, record),
    onLost: (peer) => watches.onLost(peer)
  })
  const watches = new Watches({
    ...{ channel: watchClient, log, numReplicas, onRelayed, replicas, store },
    inTime: (peer, answer) => lookups.inTime(peer, answer),
    readLatest: async (key, cancellation) => reads.read(key, { latest: true, cancellation })
  })
  return { watches, watchClient }
}

function createExchangeClient(
  { components, requestTimeoutMs }: PartsInit,
  client: PeerParts['client'],
  goodbyes: () => Goodbyes
): ExchangeClient {
  const { connectionManager, logger } = components
  const { kad, store } = partsOf(components)
  const { dialer } = client
  const log = logger.forComponent('waggle:exchange')
  const kadChannel = new KadChannel({
    ...{ connectionManager, dialer, kad, log, requestTimeoutMs, store }
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
      neighbourCount: () => Math.min(SEARCH_WIDTH, connections.budget.low)
    },
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
