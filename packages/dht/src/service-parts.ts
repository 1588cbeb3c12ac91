import { AbortError, type PeerId, type TypedEventTarget } from '@libp2p/interface'
import { Access, type AllowPeer } from './access.ts'
import { type CachePolicy, cachePolicy } from './cache/cache-policy.ts'
import { CachedReads } from './cache/cached-reads.ts'
import { Clocks } from './clock/clocks.ts'
import { SWEEP_INTERVAL_MS } from './constants.ts'
import type { DHTEvents } from './events.ts'
import { ExchangeChannel, type ExchangeChannelInit } from './exchange/exchange-channel.ts'
import { ExchangeServer } from './exchange/exchange-server.ts'
import type { Acquaintance } from './join/acquaintance.ts'
import { acquainted } from './join/meetings.ts'
import { guardWrites } from './kad/guard-writes.ts'
import { KadChannel } from './kad/kad-channel.ts'
import { KnownPeers } from './kad/known-peers.ts'
import { type NodeParts, partsOf } from './kad/node-parts.ts'
import { Avoidance } from './lookup/avoidance.ts'
import { Lookups } from './lookup/lookups.ts'
import type { NodeLimits } from './node-limits.ts'
import { Outlaws } from './outlaws.ts'
import { Replicas } from './replicas/replicas.ts'
import type { WaggleComponents, WaggleInit } from './service-interface.ts'
import { RecordStore } from './store/record-store.ts'
import { Republisher } from './upkeep/republisher.ts'
import { Upkeep } from './upkeep/upkeep.ts'

/** {@link WaggleInit} with its defaults. */
export type ServiceInit = {
  readonly [K in 'numReplicas' | 'requestTimeoutMs' | 'cache']: NonNullable<WaggleInit[K]>
} & {
  readonly limits: NodeLimits
  readonly allowPeer: AllowPeer | undefined
}

export interface PartsInit extends ServiceInit {
  readonly components: WaggleComponents

  /** Where the service tells what happens. */
  readonly events: TypedEventTarget<DHTEvents>
}

/** What a started service is made of. */
export interface ServiceParts extends NodeParts {
  readonly access: Access
  readonly acquaintance: Acquaintance
  readonly cache: RecordStore | undefined
  readonly clocks: Clocks
  readonly outlaws: Outlaws
  readonly reads: CachedReads
  readonly replicas: Replicas
  readonly republisher: Republisher
  readonly routing: KnownPeers
  readonly server: ExchangeServer
  readonly upkeep: Upkeep

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
  const access = new Access(init.allowPeer)
  const stopping = new AbortController()
  const lifetime = stopping.signal
  const found = finding(init)
  const { routing, channel, lookups, outlaws, replicas } = found
  const { cache, reads } = caching(init, replicas)
  const clocks = clocksOf(init)
  const republisher = new Republisher({
    clock: store.clock,
    log: components.logger.forComponent('waggle:republish')
  })
  const upkeep = upkeepOf(init, found)
  const server = new ExchangeServer({
    ...{ access, store, cache, limits, routing },
    onOffence: (peer, error) => outlaws.banish(peer, error)
  })

  return {
    ...{ access, cache, clocks, kad, lifetime, outlaws, reads },
    ...{ replicas, republisher, routing, server, store, upkeep },
    acquaintance: acquaintanceOf(init, routing, lifetime),
    async follow() {
      sweepAgainAndAgain([store, cache], lifetime)
      clocks.follow(lifetime)
      outlaws.follow(components.events, lifetime)
      guardWrites(kad, access)
      upkeep.follow(events, lifetime)
      await routing.follow(lifetime)
    },
    stop() {
      stopping.abort(new AbortError('the node was stopped'))
      reads.close()
      republisher.stop()
      channel.close()
      server.close()
      lookups.close()
    }
  }
}

interface Finding {
  readonly routing: KnownPeers
  readonly channel: ExchangeChannel
  readonly lookups: Lookups
  readonly outlaws: Outlaws
  readonly replicas: Replicas
}

/** How peers are found, and what they hold. */
function finding(init: PartsInit): Finding {
  const { components, limits, numReplicas, requestTimeoutMs } = init
  const { kad, store } = partsOf(components)
  // Nobody else does it: kad-dht's table keeps the dead.
  const avoidance = new Avoidance(undefined, (peer) => routing.forget(peer))
  // A peer that failed because it was slow is no worse than others once it is heard of again.
  const onAlive = (peer: PeerId): void => avoidance.answered(peer)
  const routing = knownPeers(init, onAlive)
  const outlaws = new Outlaws({
    connectionManager: components.connectionManager,
    log: components.logger.forComponent('waggle:outlaws')
  })
  const channel = recordChannel(init, {
    onAnswer: onAlive,
    isBanished: (peer) => outlaws.has(peer),
    isKnown: (peer) => routing.has(peer),
    onOffence: (peer, error) => outlaws.banish(peer, error)
  })
  const lookups = new Lookups({
    ...{ avoidance, requestTimeoutMs },
    isReady: (peer) => channel.isReady(peer)
  })
  const replicas = new Replicas({
    self: components.peerId,
    ...{ store, channel, routing, avoidance, limits, lookups, numReplicas },
    isDoubtful: (contact) => channel.isDoubtful(contact),
    isReplica: () => kad.getMode() === 'server'
  })

  return { routing, channel, lookups, outlaws, replicas }
}

function caching(
  { cache: options, components, limits }: PartsInit,
  replicas: Replicas
): { cache: RecordStore | undefined; reads: CachedReads } {
  const { store } = partsOf(components)
  const policy = cachePolicy(options || {})
  const cache = options === false ? undefined : cacheBeside(store, policy, limits)
  const log = components.logger.forComponent('waggle:cache')
  return { cache, reads: new CachedReads({ replicas, store, cache, policy, log }) }
}

function upkeepOf(
  { components, numReplicas }: PartsInit,
  { channel, lookups, routing }: Finding
): Upkeep {
  const { kad, store } = partsOf(components)
  return new Upkeep({
    self: { id: components.peerId, multiaddrs: [] },
    ...{ store, numReplicas, isReplica: () => kad.getMode() === 'server' },
    servers: () => routing.present(),
    send: (to, key, record) =>
      lookups.inTime(to, channel.store(to, key, record, { closerCount: 0 })),
    async holds(peer, key) {
      const asked = channel.find(peer, key, { closerCount: 0, isCloserAlways: true })
      return (await lookups.inTime(peer, asked)).record !== undefined
    },
    log: components.logger.forComponent('waggle:upkeep')
  })
}

function sweepAgainAndAgain(
  stores: readonly (RecordStore | undefined)[],
  lifetime: AbortSignal
): void {
  const sweeping = setInterval(() => {
    for (const store of stores) {
      store?.sweep()
    }
  }, SWEEP_INTERVAL_MS)
  sweeping.unref?.()
  lifetime.addEventListener('abort', () => clearInterval(sweeping))
}

function knownPeers(
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

function recordChannel(
  { components, limits, requestTimeoutMs }: PartsInit,
  about: Pick<ExchangeChannelInit, 'onAnswer' | 'isBanished' | 'isKnown' | 'onOffence'>
): ExchangeChannel {
  const { connectionManager, logger } = components
  const { kad, store } = partsOf(components)
  const log = logger.forComponent('waggle:exchange')
  const stockChannel = new KadChannel({ connectionManager, kad, log, requestTimeoutMs, store })
  return new ExchangeChannel({
    ...{ connectionManager, limits, log, store, stockChannel },
    ...about
  })
}

function acquaintanceOf(
  { components, events, requestTimeoutMs }: PartsInit,
  routing: KnownPeers,
  lifetime: AbortSignal
): Acquaintance {
  const { connectionManager, peerId } = components
  const { kad } = partsOf(components)
  return acquainted(
    { self: peerId, connectionManager, events, kad, routing, requestTimeoutMs },
    lifetime
  )
}

function clocksOf({ components, events, requestTimeoutMs }: PartsInit): Clocks {
  const { connectionManager, logger } = components
  const { clock } = partsOf(components).store
  const log = logger.forComponent('waggle:clock')
  return new Clocks({ connectionManager, events, log, clock, requestTimeoutMs })
}

/** A second store by the same rules, for what this node holds for nobody. */
function cacheBeside(
  { limits, clock }: RecordStore,
  { maxRecords }: CachePolicy,
  { maxCachedBytes }: NodeLimits
): RecordStore {
  return new RecordStore({ limits, clock, maxRecords, maxBytes: maxCachedBytes })
}
