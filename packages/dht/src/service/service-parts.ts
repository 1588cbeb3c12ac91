import { AbortError, type TypedEventTarget } from '@libp2p/interface'
import { encodedSize } from '@waggle/record/replica'
import { setMaxListeners } from 'main-event'
import { Scheduler } from '../admission/scheduler.ts'
import { Clocks } from '../clock/clocks.ts'
import { SEARCH_WIDTH, SWEEP_INTERVAL_MS } from '../constants.ts'
import { mergeOnInbound } from '../discovery/merge-on-inbound.ts'
import type { NetworkMerge } from '../discovery/network-merge.ts'
import type { DHTEvents } from '../events.ts'
import { ExchangeChannel } from '../exchange/exchange-channel.ts'
import { ExchangeServer } from '../exchange/exchange-server.ts'
import { followPeers } from '../kad/follow-peers.ts'
import { guardRecords } from '../kad/guard-records.ts'
import { KadChannel } from '../kad/kad-channel.ts'
import { type NodeParts, partsOf } from '../kad/node-parts.ts'
import { Lookups } from '../lookup/lookups.ts'
import type { Meter } from '../metrics/meter.ts'
import { assertMessagesFit, type NodeLimits } from '../node-limits.ts'
import { Republisher } from '../operations/republisher.ts'
import { Access, type AllowPeer } from '../peers/access.ts'
import { followConnections } from '../peers/follow-connections.ts'
import { KnownPeers } from '../peers/known-peers.ts'
import { PeerBook } from '../peers/peer-book.ts'
import { type CachePolicy, cachePolicy } from '../reading/cache-policy.ts'
import { CachedReads } from '../reading/cached-reads.ts'
import { Replicas } from '../reading/replicas.ts'
import { RecordStore } from '../store/record-store.ts'
import { anySignal, timeoutSignal } from '../timing/deadline.ts'
import { fingerprintsAt } from '../upkeep/comparison.ts'
import { Upkeep } from '../upkeep/upkeep.ts'
import { WatchChannel } from '../watch/watch-channel.ts'
import { WatchServer } from '../watch/watch-server.ts'
import { Watches } from '../watch/watches.ts'
import type { WaggleComponents, WaggleInit } from './service-interface.ts'

/** How long a peer may take to say what it holds. */
const COMPARE_TIMEOUT_MS = 10_000

/** {@link WaggleInit} with its defaults. */
export type ServiceInit = {
  readonly [K in 'numReplicas' | 'requestTimeoutMs' | 'cache']: NonNullable<WaggleInit[K]>
} & {
  readonly limits: NodeLimits
  readonly allowPeer: AllowPeer | undefined
}

export interface PartsInit extends ServiceInit {
  readonly components: WaggleComponents

  /** Counts what is done; undefined: nobody. */
  readonly meter: Meter | undefined

  /** Where the service tells what happens. */
  readonly events: TypedEventTarget<DHTEvents>
}

/** What a started service is made of. */
export interface ServiceParts extends NodeParts {
  readonly access: Access
  readonly networkMerge: NetworkMerge

  /** What this node has for all who ask it. */
  readonly scheduler: Scheduler
  readonly peers: PeerBook
  readonly channel: ExchangeChannel
  readonly cache: RecordStore | undefined
  readonly clocks: Clocks
  readonly reads: CachedReads
  readonly replicas: Replicas
  readonly republisher: Republisher
  readonly routing: KnownPeers
  readonly server: ExchangeServer
  readonly upkeep: Upkeep
  readonly watches: Watches
  readonly watchServer: WatchServer

  /** Aborted when the service stops. */
  readonly lifetime: AbortSignal

  /** Begins to take note of what happens. */
  follow(): Promise<void>
  stop(): void
}

/** Makes the parts of one node's service. Who uses which shows here. */
export function serviceParts(init: PartsInit): ServiceParts {
  const { components, events, limits } = init
  const { kad, store } = partsOf(components)
  assertMessagesFit(limits, store.limits)
  const access = new Access(init.allowPeer)
  const stopping = new AbortController()
  const lifetime = stopping.signal
  // Each listener to events is one of this signal, too, and Node 22 warns of more than ten.
  setMaxListeners(Number.POSITIVE_INFINITY, lifetime)
  const found = createLookup(init)
  const { peers, routing, channel, lookups, replicas } = found
  const { cache, reads } = createReads(init, replicas)
  const { watches, watchChannel } = createWatches(init, { ...found, reads })
  const scheduler = new Scheduler(limits)
  const watchServer = new WatchServer({
    ...{ scheduler, store, routing },
    onViolation: (peer, error) => peers.ban(peer, error)
  })
  const clocks = createClocks(init)
  const republisher = new Republisher({
    clock: store.clock,
    log: components.logger.forComponent('waggle:republish')
  })
  const upkeep = createUpkeep(init, found, lifetime)
  const server = new ExchangeServer({
    ...{ access, scheduler, store, cache, limits, routing },
    onViolation: (peer, error) => peers.ban(peer, error)
  })

  return {
    ...{ access, scheduler, peers, channel, cache, clocks, kad, lifetime, reads },
    ...{ replicas, republisher, routing, server, store, upkeep, watches, watchServer },
    networkMerge: createNetworkMerge(init, found, lifetime),
    async follow() {
      sweepAgainAndAgain([store, cache], lifetime)
      clocks.follow(lifetime)
      guardRecords(kad, access, lifetime)
      upkeep.follow(events, lifetime)
      watches.follow(events, lifetime)
      await followNetwork(components, found, lifetime)
    },
    stop() {
      stopping.abort(new AbortError('the node was stopped'))
      reads.close()
      republisher.stop()
      watches.stop()
      watchServer.stop()
      watchChannel.close()
      channel.close()
      server.close()
      lookups.close()
    }
  }
}

interface LookupParts {
  readonly peers: PeerBook
  readonly routing: KnownPeers
  readonly channel: ExchangeChannel
  readonly lookups: Lookups
  readonly replicas: Replicas
}

/** How peers are found, and what they hold. */
function createLookup(init: PartsInit): LookupParts {
  const { components, limits, numReplicas, requestTimeoutMs } = init
  const { kad, store } = partsOf(components)
  const { peers, routing } = createPeers(init)
  const channel = createRecordChannel(init, peers)
  const lookups = new Lookups({
    ...{ peers, requestTimeoutMs },
    isReady: (peer) => channel.isReady(peer)
  })
  const replicas = new Replicas({
    self: components.peerId,
    ...{ store, channel, routing, limits, lookups, numReplicas },
    isReplica: () => kad.getMode() === 'server'
  })

  return { peers, routing, channel, lookups, replicas }
}

/** What is known of peers. */
function createPeers({ components, events, limits }: PartsInit): {
  peers: PeerBook
  routing: KnownPeers
} {
  const { connectionManager, logger } = components
  const log = logger.forComponent('waggle:bans')
  const peers = new PeerBook({
    maxDialsPerSecond: limits.maxDialsPerSecond,
    // Nobody else does it: kad-dht's table keeps the dead.
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

/** Keeps what is known of peers as libp2p and kad-dht have it. */
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
  { channel, lookups, replicas, routing }: LookupParts,
  lifetime: AbortSignal
): Upkeep {
  const { connectionManager, logger, peerId } = components
  const { kad, store } = partsOf(components)
  return new Upkeep({
    self: { id: peerId, multiaddrs: [] },
    ...{ store, numReplicas, isReplica: () => kad.getMode() === 'server' },
    members: () => routing.members(),
    async send(to, key, record) {
      await lookups.inTime(to, channel.store(to, key, record, { closerCount: 0 }))
      meter?.handedOver(encodedSize(record))
    },
    async holds(peer, key) {
      const asked = channel.find(peer, key, { closerCount: 0, isCloserAlways: true })
      return (await lookups.inTime(peer, asked)).record !== undefined
    },
    fingerprints(peer, keys) {
      const signal = anySignal(lifetime, timeoutSignal(COMPARE_TIMEOUT_MS))
      return fingerprintsAt(peer, keys, { connectionManager, channel, signal })
    },
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

/** How changes are heard of. */
function createWatches(
  { components, numReplicas }: PartsInit,
  { channel: records, replicas, reads, peers }: WatchingParts
): { watches: Watches; watchChannel: WatchChannel } {
  const { connectionManager, logger } = components
  const { store } = partsOf(components)
  const log = logger.forComponent('waggle:watch')
  const channel = new WatchChannel({
    ...{ connectionManager, log, store, records },
    onAnswer: (peer) => peers.recordResponse(peer),
    onChange: (key, record) => watches.onChange(key, record),
    isBanned: (peer) => peers.isBanned(peer),
    onViolation: (peer, error) => peers.ban(peer, error),
    onLost: (peer) => watches.onLost(peer)
  })
  const watches = new Watches({
    ...{ channel, log, numReplicas, replicas, store },
    readLatest: async (key, cancellation) => reads.read(key, { latest: true, cancellation })
  })
  return { watches, watchChannel: channel }
}

function sweepAgainAndAgain(
  stores: readonly (RecordStore | undefined)[],
  lifetime: AbortSignal
): void {
  const sweep = (store: RecordStore | undefined) => {
    if (store?.sweep()) {
      // Others shall have a turn meanwhile.
      setTimeout(sweep, 0, store)
    }
  }
  const sweeping = setInterval(() => stores.forEach(sweep), SWEEP_INTERVAL_MS)
  sweeping.unref?.()
  lifetime.addEventListener('abort', () => clearInterval(sweeping))
}

function createRecordChannel(
  { components, limits, requestTimeoutMs }: PartsInit,
  peers: PeerBook
): ExchangeChannel {
  const { connectionManager, logger } = components
  const { kad, store } = partsOf(components)
  const log = logger.forComponent('waggle:exchange')
  const stockChannel = new KadChannel({ connectionManager, kad, log, requestTimeoutMs, store })
  return new ExchangeChannel({
    ...{ connectionManager, limits, log, requestTimeoutMs, store, kadChannel: stockChannel },
    peers,
    onAnswer: (peer) => peers.recordResponse(peer),
    isBanned: (peer) => peers.isBanned(peer),
    onViolation: (peer, error) => peers.ban(peer, error)
  })
}

function createNetworkMerge(
  { components, events, requestTimeoutMs }: PartsInit,
  { peers, routing }: LookupParts,
  lifetime: AbortSignal
): NetworkMerge {
  const { connectionManager, peerId } = components
  const { kad } = partsOf(components)
  return mergeOnInbound(
    { self: peerId, connectionManager, events, kad, peers, routing, requestTimeoutMs },
    lifetime
  )
}

function createClocks({ components, events, requestTimeoutMs }: PartsInit): Clocks {
  const { connectionManager, logger } = components
  const { clock } = partsOf(components).store
  const log = logger.forComponent('waggle:clock')
  return new Clocks({ connectionManager, events, log, clock, requestTimeoutMs })
}

/** A second store by the same rules, for what this node holds for nobody. */
function createCache(
  { limits, clock }: RecordStore,
  { maxRecords }: CachePolicy,
  { maxCachedBytes }: NodeLimits
): RecordStore {
  return new RecordStore({ limits, clock, maxRecords, maxBytes: maxCachedBytes })
}
