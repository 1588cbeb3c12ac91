import type { AbortOptions, PeerId, Startable } from '@libp2p/interface'
import { AbortError, serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { RecordValidator } from '@waggle/record'
import { TypedEventEmitter } from 'main-event'
import type { ClockReading } from '../clock-reading.ts'
import type { DHTEvents, DiskState } from '../events.ts'
import { assertLibp2p } from '../kad/libp2p-version.ts'
import { partsOf } from '../kad/node-parts.ts'
import { type KadRouting, quietKadDHT } from '../kad/quiet-kad-dht.ts'
import { Meter } from '../metrics/meter.ts'
import { nodeLimitsOf } from '../node-limits.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import { Operations } from '../operations/operations.ts'
import { assertCalled, assertOptions, assertValidators, withDefaults } from '../option-checks.ts'
import { connectedPeers } from '../peers/connect.ts'
import type { KnownPeers } from '../peers/known-peers.ts'
import type { PeerMemory } from '../persistence/peer-memory.ts'
import { openPersistence, type Persistence } from '../persistence/persistence.ts'
import { type PersistenceOptions, persistenceOptions } from '../persistence/persistence-options.ts'
import { type HeldRecord, heldRecords } from '../store/held-record.ts'
import { anySignal } from '../timing/deadline.ts'
import { discoverAfterCalls } from './first-calls.ts'
import { type Readings, registerGauges } from './gauges.ts'
import { recordEvents } from './record-events.ts'
import { Role } from './role.ts'
import type { ServiceInit } from './service-init.ts'
import { SERVICE, type Waggle, type WaggleComponents } from './service-interface.ts'
import { SERVICE_OPTIONS, type WaggleInit } from './service-options.ts'
import { type ServiceParts, serviceParts } from './service-parts.ts'
import type { Stats } from './stats.ts'
import { statsOf } from './stats-of.ts'

/**
 * Creates the Waggle service for an application's own libp2p node. It needs `waggleKadDHT()` beside
 * it, in whose store it keeps records, and the services `identify` and `ping`, which kad-dht needs.
 *
 * @throws TypeError for an option that is unknown or wrong
 */
export function waggle(init: WaggleInit = {}): (components: WaggleComponents) => Waggle {
  assertCalled('waggle', init)
  assertOptions('waggle()', init, SERVICE_OPTIONS)
  const { allowPeer, pages, ...settings } = withDefaults(init, SERVICE_OPTIONS)
  const { numReplicas, requestTimeoutMs, cache, connections, serveGateway } = settings
  const limits = nodeLimitsOf(init.limits)
  const persistence = persistenceOptions(init)
  return (components) =>
    new WaggleService(components, {
      ...({ numReplicas, requestTimeoutMs, cache, connections, serveGateway } as Required<
        typeof init
      >),
      ...{ limits, allowPeer, pages, persistence }
    })
}

interface WaggleServiceInit extends ServiceInit {
  readonly persistence: PersistenceOptions
}

/** Nodes that have the service, by their event buses. */
const served = new WeakSet<object>()

class WaggleService implements Waggle, Startable {
  readonly [Symbol.toStringTag] = SERVICE
  readonly [serviceCapabilities]: string[] = [SERVICE]
  readonly [serviceDependencies]: string[] = ['@libp2p/kad-dht']
  readonly events: TypedEventEmitter<DHTEvents> = new TypedEventEmitter()
  readonly #components: WaggleComponents
  readonly #init: WaggleServiceInit
  #persistence: Persistence | undefined
  readonly #meter: Meter | undefined
  #running: ServiceParts | undefined
  #role: Role | undefined

  /** The state at the last stop, which a stopped node still tells. */
  #last: { readonly stats: Stats; readonly clientMode: boolean } | undefined
  #misfits = 0

  constructor(components: WaggleComponents, init: WaggleServiceInit) {
    assertLibp2p(components)
    assertOnly(components)
    const { metrics } = components
    this.#components = components
    this.#init = init
    this.#meter = metrics && new Meter(metrics)
    registerGauges(metrics, () => this.#readings())
  }

  /** Called by libp2p before any peer can send requests, so that persisted records are available from the start. */
  async beforeStart(): Promise<void> {
    const { kad, store } = partsOf(this.#components)
    const { logger } = this.#components
    quietKadDHT(kad, this.#kadRouting)
    this.#persistence = await openPersistence({
      ...this.#init.persistence,
      ...{ store, logger },
      onStateChange: (error) => this.#dispatchDiskState(error),
      onShared: () => this.events.safeDispatchEvent('disk:shared', { detail: undefined })
    })
  }

  /** Called by libp2p when all services exist, so that their order does not matter. */
  async start(): Promise<void> {
    const { events } = this
    const meter = this.#meter
    const role = new Role(partsOf(this.#components).kad)
    this.#role = role
    const parts = serviceParts({
      ...this.#init,
      ...{ components: this.#components, events, meter, role },
      isRestored: this.#persistence !== undefined
    })
    this.#running = parts
    await parts.follow()
    parts.store.observeWith(recordEvents(events, parts.store.limits, meter))

    parts.mode.follow((mode) => parts.becomes(mode), parts.lifetime)

    if (!this.clientMode) {
      await parts.serve()
    }
  }

  /** Called by libp2p while all connections are still open. */
  async beforeStop(): Promise<void> {
    if (this.#running !== undefined && this.#role?.isReplica) {
      await this.#running.connections.leave()
    }
  }

  /** Called by libp2p. */
  async stop(): Promise<void> {
    const running = this.#running

    if (running === undefined) {
      return
    }

    this.#last = { stats: this.stats(), clientMode: this.clientMode }
    running.store.observeWith(undefined)
    running.stop()
    this.#running = undefined
    await running.stopServing()
  }

  /** Called by libp2p when no peer can send requests any more, or when starting has failed. */
  async afterStop(): Promise<void> {
    await this.#persistence?.close()
    this.#persistence = undefined
  }

  get clientMode(): boolean {
    return this.#running === undefined && this.#last !== undefined
      ? this.#last.clientMode
      : this.#started.kad.getMode() === 'client'
  }

  get peers(): PeerId[] {
    return connectedPeers(this.#components.connectionManager)
  }

  get protocol(): string {
    return this.#started.kad.protocol
  }

  get network(): string {
    return this.#started.store.network
  }

  get peerMemory(): PeerMemory | undefined {
    return this.#persistence?.peers
  }

  stats(): Stats {
    if (this.#running === undefined && this.#last !== undefined) {
      return this.#last.stats
    }

    return statsOf(this.#started, {
      peers: this.peers.length,
      misfits: this.#misfits,
      persistence: this.#persistence?.stats()
    })
  }

  servedKeysOf(peer: PeerId): number {
    return this.#started.served.keysOf(peer.toString())
  }

  heldRecords(): Iterable<HeldRecord> {
    return heldRecords(this.#started.store)
  }

  addValidators(...validators: readonly RecordValidator[]): void {
    assertValidators(validators, 'addValidators')
    partsOf(this.#components).store.checks.addValidators(validators)
  }

  removeValidators(...validators: readonly RecordValidator[]): void {
    partsOf(this.#components).store.checks.removeValidators(validators)
  }

  get joinedPeers(): PeerId[] {
    const connected = this.#running?.routing.connected ?? []
    return connected.filter((peer) => !this.#role?.isPage(peer))
  }

  isJoined(peer: PeerId): boolean {
    return this.#running?.routing.isConnected(peer) === true && !this.#role?.isPage(peer)
  }

  isBanned(peer: PeerId): boolean {
    return this.#running?.peers.isBanned(peer) ?? false
  }

  countJoin(): void {
    this.#running?.client.dialer.count('join')
  }

  discover(peer: PeerId): void {
    void discoverAfterCalls(peer, this.#running)
  }

  async compareClocks(peer: PeerId, options?: AbortOptions): Promise<ClockReading | undefined> {
    return this.#started.clocks.compare(peer, options)
  }

  operations(lifetime: AbortSignal): BaseOperations {
    const { replicas, reads, publications, store, watches, lifetime: ownLifetime } = this.#started
    return new Operations({
      ...{ replicas, reads, publications, store, watches },
      peerId: this.#components.peerId,
      numReplicas: this.#init.numReplicas,
      maxCalls: this.#init.limits.maxCalls,
      meter: this.#meter,
      privateKey: this.#components.privateKey,
      onMisfit: () => this.#countMisfit(),
      lifetime: anySignal(lifetime, ownLifetime)
    })
  }

  #countMisfit(): void {
    this.#misfits++
    this.#meter?.countMisfit()
  }

  /** The routing table for kad-dht, which starts before this service. */
  get #kadRouting(): KadRouting {
    const routing = (): KnownPeers | undefined => this.#running?.routing
    return {
      get size() {
        return routing()?.size ?? 0
      },
      has: (peer) => routing()?.has(peer) ?? false,
      closestPeers: (target, count) => (routing()?.nearest(target, count) ?? []).map(({ id }) => id)
    }
  }

  #readings(): Readings | undefined {
    if (this.#running === undefined) {
      return undefined
    }

    const { exchange, peers, reads } = this.#running
    const { waiting, inFlight } = exchange.load
    return {
      stats: this.stats(),
      avoidedPeers: peers.numAvoided,
      plannedRefreshes: reads.refreshes,
      requestsWaiting: waiting,
      requestsInFlight: inFlight
    }
  }

  #dispatchDiskState(error: Error | undefined): void {
    const detail: DiskState = error === undefined ? { state: 'ok' } : { state: 'failing', error }
    this.events.safeDispatchEvent('disk:state', { detail })
  }

  get #started(): ServiceParts {
    if (this.#running === undefined) {
      throw new AbortError('the DHT, or its libp2p node, was stopped or never started')
    }

    return this.#running
  }
}

/** @throws Error when the node has the service already: they would serve the same protocols */
function assertOnly({ events }: WaggleComponents): void {
  if (served.has(events)) {
    throw new Error(
      'a libp2p node can have only one waggle(): make a second node for the second network'
    )
  }

  served.add(events)
}
