import { AbortError, type PeerId, type TypedEventTarget } from '@libp2p/interface'
import { encodedSize } from '@waggle/record/replica'
import { setMaxListeners } from 'main-event'
import type { Scheduler } from '../admission/scheduler.ts'
import { Clocks } from '../clock/clocks.ts'
import { SEARCH_WIDTH, SWEEP_INTERVAL_MS } from '../constants.ts'
import { mergeOnInbound } from '../discovery/merge-on-inbound.ts'
import type { NetworkMerge } from '../discovery/network-merge.ts'
import { doorOf } from '../door/door.ts'
import type { DHTEvents } from '../events.ts'
import { ExchangeChannel, type ExchangeChannelInit } from '../exchange/exchange-channel.ts'
import { ExchangeServer } from '../exchange/exchange-server.ts'
import { guardRecords } from '../kad/guard-records.ts'
import { KadChannel } from '../kad/kad-channel.ts'
import { KnownPeers } from '../kad/known-peers.ts'
import { type NodeParts, partsOf } from '../kad/node-parts.ts'
import { Lookups } from '../lookup/lookups.ts'
import type { Meter } from '../metrics/meter.ts'
import { assertMessagesFit, type NodeLimits } from '../node-limits.ts'
import { Republisher } from '../operations/republisher.ts'
import { Access, type AllowPeer } from '../peers/access.ts'
import { Avoidance } from '../peers/avoidance.ts'
import { BanList } from '../peers/ban-list.ts'
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
  readonly avoidance: Avoidance
  readonly channel: ExchangeChannel
  readonly cache: RecordStore | undefined
  readonly clocks: Clocks
  readonly bans: BanList
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
  const door = doorOf(components)
  door.open({ limits, onViolation: (peer, error) => bans.ban(peer, error) })
  const found = createLookup(init)
  const { avoidance, routing, channel, lookups, bans, replicas } = found
  const { cache, reads } = createReads(init, replicas)
  const { watches, watchChannel } = createWatches(init, { ...found, reads })
  const { scheduler } = door
  const watchServer = new WatchServer({
    ...{ scheduler, store, routing },
    onViolation: (peer, error) => bans.ban(peer, error)
  })
  const clocks = createClocks(init)
  const republisher = new Republisher({
    clock: store.clock,
    log: components.logger.forComponent('waggle:republish')
  })
  const upkeep = createUpkeep(init, found, lifetime)
  const server = new ExchangeServer({
    ...{ access, scheduler, store, cache, limits, routing },
    onViolation: (peer, error) => bans.ban(peer, error)
  })

  return {
    ...{ access, scheduler, avoidance, channel, cache, clocks, kad, lifetime, bans, reads },
    ...{ replicas, republisher, routing, server, store, upkeep, watches, watchServer },
    networkMerge: createNetworkMerge(init, routing, lifetime),
    async follow() {
      sweepAgainAndAgain([store, cache], lifetime)
      clocks.follow(lifetime)
      bans.follow(components.events, lifetime)
      guardRecords(kad, access, lifetime)
      upkeep.follow(events, lifetime)
      watches.follow(events, lifetime)
      await routing.follow(lifetime)
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
  readonly avoidance: Avoidance
  readonly routing: KnownPeers
  readonly channel: ExchangeChannel
  readonly lookups: Lookups
  readonly bans: BanList
  readonly replicas: Replicas

  /** A peer has been heard of. */
  readonly onAlive: (peer: PeerId) => void
}

/** How peers are found, and what they hold. */
function createLookup(init: PartsInit): LookupParts {
  const { components, limits, numReplicas, requestTimeoutMs } = init
  const { kad, store } = partsOf(components)
  // Nobody else does it: kad-dht's table keeps the dead.
  const avoidance = new Avoidance(undefined, (peer) => routing.forget(peer))
  // A peer that failed because it was slow is no worse than others once it is heard of again.
  const onAlive = (peer: PeerId): void => avoidance.answered(peer)
  const routing = createKnownPeers(init, onAlive)
  const bans = new BanList({
    connectionManager: components.connectionManager,
    log: components.logger.forComponent('waggle:bans')
  })
  const channel = createRecordChannel(init, {
    onAnswer: onAlive,
    isBanned: (peer) => bans.has(peer),
    isKnown: (peer) => routing.has(peer),
    onViolation: (peer, error) => bans.ban(peer, error)
  })
  const lookups = new Lookups({
    ...{ avoidance, requestTimeoutMs },
    isReady: (peer) => channel.isReady(peer),
    onMissed: (peer) => channel.missed(peer)
  })
  const replicas = new Replicas({
    self: components.peerId,
    ...{ store, channel, routing, avoidance, limits, lookups, numReplicas },
    isDoubtful: (contact) => channel.isDoubtful(contact),
    isReplica: () => kad.getMode() === 'server'
  })

  return { avoidance, routing, channel, lookups, onAlive, bans, replicas }
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
    servers: () => routing.present(),
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
  { channel: records, replicas, reads, onAlive, bans }: WatchingParts
): { watches: Watches; watchChannel: WatchChannel } {
  const { connectionManager, logger } = components
  const { store } = partsOf(components)
  const log = logger.forComponent('waggle:watch')
  const channel = new WatchChannel({
    ...{ connectionManager, log, store, records, onAnswer: onAlive },
    onChange: (key, record) => watches.onChange(key, record),
    isBanned: (peer) => bans.has(peer),
    onViolation: (peer, error) => bans.ban(peer, error),
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

function createKnownPeers(
  { components, events }: PartsInit,
  onConnect: (peer: PeerId) => void
): KnownPeers {
  const { peerStore, registrar } = components
  return new KnownPeers({
    kad: partsOf(components).kad,
    peerStore,
    registrar,
    events: components.events,
    onConnect,
    onJoin: (detail) => events.safeDispatchEvent('peer:join', { detail }),
    onLeave: (detail) => events.safeDispatchEvent('peer:leave', { detail })
  })
}

function createRecordChannel(
  { components, limits, requestTimeoutMs }: PartsInit,
  about: Pick<ExchangeChannelInit, 'onAnswer' | 'isBanned' | 'isKnown' | 'onViolation'>
): ExchangeChannel {
  const { connectionManager, logger } = components
  const { kad, store } = partsOf(components)
  const log = logger.forComponent('waggle:exchange')
  const stockChannel = new KadChannel({ connectionManager, kad, log, requestTimeoutMs, store })
  return new ExchangeChannel({
    ...{ connectionManager, limits, log, requestTimeoutMs, store, kadChannel: stockChannel },
    dials: doorOf(components).dials,
    ...about
  })
}

function createNetworkMerge(
  { components, events, requestTimeoutMs }: PartsInit,
  routing: KnownPeers,
  lifetime: AbortSignal
): NetworkMerge {
  const { connectionManager, peerId } = components
  const { kad } = partsOf(components)
  return mergeOnInbound(
    { self: peerId, connectionManager, events, kad, routing, requestTimeoutMs },
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
