import type { PeerId } from '@libp2p/interface'
import { getDHTTime } from '@waggle/record'
import type { TypedEventEmitter } from 'main-event'
import { bytesOf } from '../bytes/latin1.ts'
import {
  COMPARE_INTERVAL_MS,
  COMPARED_CLOCKS,
  DEPTH_MODULO,
  SWEEP_INTERVAL_MS
} from '../constants.ts'
import { Network } from '../lookup/network.ts'
import { contactOf, type NodeContact } from '../peers/node-contact.ts'
import { PeerClocks } from '../peers/peer-clocks.ts'
import { RoutingTable } from '../peers/routing-table.ts'
import { TableUpkeep } from '../peers/table-upkeep.ts'
import { Reader } from '../reading/reader.ts'
import { latestExpiration } from '../record/record.ts'
import { Answers } from '../replica/answers.ts'
import { HandOver } from '../replica/hand-over.ts'
import { Replica } from '../replica/replica.ts'
import { ReplicaStore } from '../replica/replica-store.ts'
import { Validation } from '../replica/validation.ts'
import { Caller } from '../rpc/caller.ts'
import { HivemindClient } from '../rpc/client.ts'
import { HivemindServer } from '../rpc/server.ts'
import {
  Access,
  DEFAULT_NODE_LIMITS,
  type Door,
  doorOf,
  followConnections,
  Lookups,
  type Meter,
  PeerBook
} from '../waggle-parts.ts'
import type { HivemindComponents, HivemindEvents } from './interface.ts'
import type { HivemindSettings } from './service-options.ts'

export interface ServicePartsInit extends HivemindSettings {
  readonly components: HivemindComponents
  readonly events: TypedEventEmitter<HivemindEvents>

  /** Counts the node's operations; undefined: no metrics. */
  readonly meter: Meter | undefined
}

/** Builds and connects the parts of a running service. */
export class ServiceParts {
  readonly routing: RoutingTable
  readonly client: HivemindClient
  readonly storage: ReplicaStore
  readonly cache: ReplicaStore
  readonly validation: Validation
  readonly network: Network
  readonly reader: Reader
  readonly server: HivemindServer
  readonly clocks: PeerClocks
  readonly lifetime: AbortController = new AbortController()
  readonly #init: ServicePartsInit
  readonly #table: TableUpkeep
  readonly #handOver: HandOver
  readonly #peers: PeerBook
  readonly #lookups: Lookups
  readonly #door: Door

  constructor(init: ServicePartsInit) {
    const { components, limits, nodeId, bucketSize, numReplicas, clientMode, cache } = init
    const { connectionManager, peerId } = components
    const clock = getDHTTime
    const caller = new Caller({ connectionManager, requestTimeoutMs: init.requestTimeoutMs })
    this.#init = init
    this.#door = this.#openDoor()
    this.routing = new RoutingTable({ ownId: nodeId, bucketSize, depthModulo: DEPTH_MODULO })
    this.clocks = new PeerClocks((detail) =>
      init.events.safeDispatchEvent('clock:skew', { detail })
    )
    this.client = new HivemindClient({
      caller,
      sender: clientMode ? undefined : nodeId,
      onAnswer: (peer, id) => this.#table.met(peer, id),
      onClock: (peer, reading) => this.clocks.record(peer, reading),
      onFailure: (peer) => this.#table.failed(peer)
    })
    this.#table = new TableUpkeep({
      ...{ self: peerId, routing: this.routing },
      onJoin: (contact) => this.#onJoin(contact),
      onLeave: ({ id }) => init.events.safeDispatchEvent('peer:leave', { detail: id }),
      ping: ({ id }) => this.#pingQuietly(id),
      nowMs: () => performance.now()
    })
    this.storage = new ReplicaStore({
      ...{ maxRecords: limits.maxStoredRecords, maxBytes: limits.maxStoredBytes, clock }
    })
    this.cache = new ReplicaStore({
      ...{ maxRecords: cache?.size ?? 1, maxBytes: limits.maxCachedBytes, clock }
    })
    const { shares } = this.#door
    this.validation = new Validation({ limits, validators: init.validators, clock, shares })
    const { storage, validation, routing, client } = this
    const replica = new Replica({
      ...{ storage, cache: this.cache, validation, clock },
      onStored: (id, record) => {
        const detail = { id, expirationTime: latestExpiration(record) }
        init.meter?.record('stored')
        init.events.safeDispatchEvent('record:stored', { detail })
      }
    })
    this.#peers = new PeerBook({
      dials: this.#door.dials,
      onBan: (peer, error) => this.#disconnect(peer, error)
    })
    this.#lookups = new Lookups({
      ...{ peers: this.#peers, requestTimeoutMs: init.requestTimeoutMs },
      isReady: ({ id }) => caller.isConnected(id)
    })
    this.network = new Network({
      ...{ routing, client, replica, validation, clock, clientMode },
      ...{ numReplicas, bucketSize, lookups: this.#lookups, self: contactOf(peerId, nodeId) },
      hasFailed: (peer) => this.#table.hasFailed(peer)
    })
    this.reader = new Reader({
      network: this.network,
      ...{ replica, client, clock, cache, meter: init.meter }
    })
    this.#handOver = new HandOver({ ownId: nodeId, ...{ storage, routing, client, numReplicas } })
    this.server = this.#serverOf(replica)
  }

  async start(): Promise<void> {
    const { clientMode, components } = this.#init
    const { connectionManager, events } = components
    followConnections({ connectionManager, events, peers: this.#peers }, this.lifetime.signal)
    this.#every(SWEEP_INTERVAL_MS, () => this.#sweep())
    this.#every(COMPARE_INTERVAL_MS, () => this.#compareClocks())

    if (!clientMode) {
      await this.server.start()
    }
  }

  async stop(reason: Error): Promise<void> {
    this.lifetime.abort(reason)
    this.reader.stop()
    this.#lookups.close()
    await this.server.stop()
  }

  /** Opens the node's door, unless a Waggle service has opened it already (N13). */
  #openDoor(): Door {
    const { components, limits } = this.#init
    const door = doorOf(components)
    door.open({
      limits: { ...DEFAULT_NODE_LIMITS, ...limits },
      lifetime: this.lifetime.signal,
      onViolation: (peer, error) => this.#peers.ban(peer, error)
    })
    return door
  }

  #serverOf(replica: Replica): HivemindServer {
    const { allowPeer, bucketSize, components, limits, nodeId } = this.#init
    const access = new Access(allowPeer)
    const answers = new Answers({
      ...{ ownId: nodeId, replica, routing: this.routing, clock: getDHTTime, bucketSize },
      door: this.#door,
      onAsked: (peer, id) => this.#table.met(peer, id),
      pingBack: async (peer) => (await this.client.ping(peer)).sender,
      mayStore: (peer) => access.allows(peer, 'write')
    })
    return new HivemindServer({
      ...{ registrar: components.registrar, limits, door: this.#door },
      answer: async (call) => answers.answer(call),
      isAllowed: (peer) => access.allows(peer, 'connect')
    })
  }

  #onJoin(contact: NodeContact): void {
    this.#init.events.safeDispatchEvent('peer:join', { detail: contact.id })
    this.#handOver.add(contact)
  }

  #disconnect(peer: PeerId, error: Error): void {
    const { connectionManager, logger } = this.#init.components
    logger.forComponent('waggle:hivemind')('%p is banned - %e', peer, error)

    for (const connection of connectionManager.getConnections(peer)) {
      connection.abort(error)
    }
  }

  #pingQuietly(peer: PeerId): void {
    this.client.ping(peer).catch(() => {
      // The node has been removed from the table.
    })
  }

  /** Repeats an action until the service stops. */
  #every(ms: number, act: () => void): void {
    const timer = setInterval(act, ms)
    timer.unref?.()
    this.lifetime.signal.addEventListener('abort', () => clearInterval(timer))
  }

  /** Pings a few nodes, whose responses contain their time. */
  #compareClocks(): void {
    for (const { id } of [...this.routing.contacts].slice(0, COMPARED_CLOCKS)) {
      this.#pingQuietly(id)
    }
  }

  #sweep(): void {
    this.cache.sweep()

    for (const key of this.storage.sweep()) {
      this.#init.meter?.record('expired')
      this.#init.events.safeDispatchEvent('record:expired', { detail: { id: bytesOf(key) } })
    }
  }
}
