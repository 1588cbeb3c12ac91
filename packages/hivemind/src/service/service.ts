import {
  AbortError,
  type PeerId,
  type Startable,
  serviceCapabilities,
  serviceDependencies
} from '@libp2p/interface'
import { getDHTTime } from '@waggle/record'
import { TypedEventEmitter } from 'main-event'
import type { DHTId } from '../keys/dht-id.ts'
import { HivemindOperations } from '../operations/operations.ts'
import { anySignal, assertCalled, assertOptions, type Meter } from '../waggle-parts.ts'
import type { PingResponse } from '../wire/messages.ts'
import {
  type Hivemind,
  type HivemindComponents,
  type HivemindEvents,
  type HivemindInit,
  type HivemindStats,
  SERVICE
} from './interface.ts'
import { hivemindMeter } from './metrics.ts'
import { type HivemindSettings, hivemindSettings, INIT_OPTIONS } from './service-options.ts'
import { ServiceParts } from './service-parts.ts'

/**
 * Hivemind's DHT as a service for an application's own libp2p node. It needs the services `identify` and
 * `hivemindKadDHT()`, which finds the addresses of nodes.
 *
 * @throws TypeError for an option that is unknown or invalid
 */
export function hivemind(init: HivemindInit = {}): (components: HivemindComponents) => Hivemind {
  assertCalled('hivemind', init)
  assertOptions('hivemind()', init, INIT_OPTIONS)
  return (components) => new HivemindService(components, hivemindSettings(init))
}

/** Finds the service among a node's services, under any name. */
export function findHivemind(services: object): Hivemind | undefined {
  return Object.values(services).find(
    (service): service is Hivemind => service?.[Symbol.toStringTag] === SERVICE
  )
}

class HivemindService implements Hivemind, Startable {
  readonly [Symbol.toStringTag] = SERVICE
  readonly [serviceCapabilities]: string[] = [SERVICE]
  readonly [serviceDependencies]: string[] = ['@libp2p/identify']
  readonly events: TypedEventEmitter<HivemindEvents> = new TypedEventEmitter()
  readonly #components: HivemindComponents
  readonly #settings: HivemindSettings
  readonly #meter: Meter | undefined
  #running: ServiceParts | undefined

  constructor(components: HivemindComponents, settings: HivemindSettings) {
    this.#components = components
    this.#settings = settings
    this.#meter = hivemindMeter(components.metrics, () => this.#running && this.stats())
  }

  /** Called by libp2p. Sets `#running` first: a peer that is pinged during the start may ping back at once. */
  async start(): Promise<void> {
    const { events } = this
    this.#running = new ServiceParts({
      ...this.#settings,
      ...{ components: this.#components, events, meter: this.#meter }
    })
    await this.#running.start()
  }

  /** Called by libp2p. */
  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.stop(new AbortError('the node was stopped'))
  }

  get clientMode(): boolean {
    return this.#settings.clientMode
  }

  get nodeId(): DHTId {
    return this.#settings.nodeId
  }

  get peers(): PeerId[] {
    const connections = this.#components.connectionManager.getConnections()
    const peers = new Map(connections.map(({ remotePeer }) => [remotePeer.toString(), remotePeer]))
    return [...peers.values()]
  }

  get knownPeers(): PeerId[] {
    return Array.from(this.#started.routing.contacts, ({ id }) => id)
  }

  stats(): HivemindStats {
    const { clocks, storage, cache, routing, server } = this.#started
    return {
      records: storage.size,
      bytes: storage.bytes,
      cachedRecords: cache.size,
      cachedBytes: cache.bytes,
      knownPeers: routing.size,
      peers: this.peers.length,
      requests: server.inFlight,
      clockSkewMs: clocks.medianSkewMs
    }
  }

  introduce(peer: PeerId): Promise<PingResponse> {
    return this.#started.client.ping(peer, { isValidated: !this.clientMode })
  }

  ping(peer: PeerId): Promise<PingResponse> {
    return this.#started.client.ping(peer)
  }

  async lookAround(): Promise<void> {
    const { network, lifetime } = this.#started
    const cancellation = {
      get isCancelled() {
        return lifetime.signal.aborted
      }
    }
    await network.nearest(this.nodeId, this.#settings.bucketSize, cancellation)
  }

  operations(lifetime: AbortSignal): HivemindOperations {
    const { network, reader, validation, lifetime: own } = this.#started
    return new HivemindOperations({
      ...{ network, reader, validation, clock: getDHTTime },
      numReplicas: this.#settings.numReplicas,
      lifetime: anySignal(lifetime, own.signal),
      meter: this.#meter
    })
  }

  get #started(): ServiceParts {
    if (this.#running === undefined) {
      throw new AbortError('the node was stopped or never started')
    }

    return this.#running
  }
}
