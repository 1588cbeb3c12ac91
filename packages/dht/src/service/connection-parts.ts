import type { PeerId } from '@libp2p/interface'
import { CLOCK_PROTOCOL } from '../clock/clock-messages.ts'
import { ConnectionBudget } from '../connections/connection-budget.ts'
import { Goodbyes } from '../connections/goodbyes.ts'
import { Probes } from '../connections/probes.ts'
import type { ConnectionOptions } from '../connections/watermarks.ts'
import type { ExchangeClient } from '../exchange/exchange-client.ts'
import { EXCHANGE_PROTOCOL, type GoodbyeReason } from '../exchange/messages.ts'
import { GATEWAY_PROTOCOL } from '../gateway/gateway-messages.ts'
import { partsOf } from '../kad/node-parts.ts'
import { INTRODUCTION_PROTOCOL } from '../pages/introduction-messages.ts'
import { connectedPeers } from '../peers/connect.ts'
import { isVacancy } from '../peers/refused-dials.ts'
import { wait } from '../timing/wait.ts'
import { COMPARE_PROTOCOL } from '../upkeep/compare-messages.ts'
import { WATCH_PROTOCOL } from '../watch/watch-messages.ts'
import { type Activity, allActivity } from '../wire/activity.ts'
import { protocolIdIn } from '../wire/protocol-id.ts'
import type { ProtocolServer } from '../wire/protocol-server.ts'
import type { PeerParts } from './peer-parts.ts'
import type { WaggleComponents } from './service-interface.ts'

/** The protocols of Waggle. Their idle streams keep no connection open. */
const PROTOCOLS = [
  EXCHANGE_PROTOCOL,
  GATEWAY_PROTOCOL,
  WATCH_PROTOCOL,
  CLOCK_PROTOCOL,
  COMPARE_PROTOCOL,
  INTRODUCTION_PROTOCOL
]

/** Milliseconds for sending goodbyes to all peers. */
const LEAVE_TIMEOUT_MS = 500

export interface ConnectionPartsInit extends PeerParts {
  readonly components: WaggleComponents
  readonly connections: ConnectionOptions
  readonly exchange: ExchangeClient
  readonly server: ProtocolServer
  readonly requestTimeoutMs: number
  readonly lifetime: AbortSignal

  /** Clients of the other protocols, for their activity. */
  readonly clients: readonly { activityOf(peer: PeerId): Activity }[]
}

/** Manages connections, and closes them with a goodbye. */
export class ConnectionParts {
  readonly budget: ConnectionBudget
  readonly goodbyes: Goodbyes
  readonly probes: Probes
  readonly #init: ConnectionPartsInit

  constructor(init: ConnectionPartsInit) {
    this.#init = init
    this.goodbyes = this.#createGoodbyes()
    this.budget = this.#createBudget()
    this.probes = this.#createProbes()
  }

  /** Follows connections until the node stops. */
  follow(): void {
    this.budget.follow(this.#init.lifetime)
    this.probes.follow(this.#init.lifetime)
  }

  /** Sends a goodbye to all connected servers, and to the clients that have a stream for it. */
  async leave(): Promise<void> {
    const { connectionManager } = this.#init.components
    const peers = connectedPeers(connectionManager)
    const saying = peers.map((peer) => this.goodbyes.say(peer, 'leaving'))
    await Promise.race([Promise.allSettled(saying), wait(LEAVE_TIMEOUT_MS)])
  }

  #createGoodbyes(): Goodbyes {
    const { exchange, peers, routing, server } = this.#init
    return new Goodbyes({
      onStream: [
        (peer, reason) => exchange.sayGoodbye(peer, reason),
        (peer, reason) =>
          server.notify({ id: EXCHANGE_PROTOCOL }, peer, { name: 'goodbye', id: 0, reason })
      ],
      onNewStream: async (peer: PeerId, reason: GoodbyeReason) => {
        // Only members receive a goodbye: others do not interpret a close as a departure.
        if (routing.isConnected(peer)) {
          await exchange.openStream({ id: peer, multiaddrs: [] })
          exchange.sayGoodbye(peer, reason)
        }
      },
      onIdle: (peer) => peers.recordFull(peer),
      onLeaving: (peer) => {
        peers.recordResponse(peer)
        routing.leave(peer)
      }
    })
  }

  #createBudget(): ConnectionBudget {
    const { clients, components, connections, exchange, routing, server } = this.#init
    const { connectionManager, events, logger, peerId, peerStore } = components
    const { network } = partsOf(components).store
    return new ConnectionBudget({
      ...{ self: peerId, connectionManager, events, peerStore, options: connections },
      log: logger.forComponent('waggle:connections'),
      ownProtocols: PROTOCOLS.map((id) => protocolIdIn(network, id)),
      isServer: (peer) => routing.isConnected(peer),
      neighbours: (count) => routing.table.neighbours(count),
      activityOf: (peer) =>
        allActivity([exchange, server, ...clients].map((part) => part.activityOf(peer))),
      sayGoodbye: (peer) => this.goodbyes.say(peer, 'idle')
    })
  }

  #createProbes(): Probes {
    const { client, components, lifetime, requestTimeoutMs, routing } = this.#init
    return new Probes({
      events: components.events,
      log: components.logger.forComponent('waggle:probes'),
      isNeighbour: (peer) =>
        routing.has(peer) && (routing.isNear(peer) || routing.connected.length === 0),
      isLonely: () => routing.connected.length === 0,
      hasSaidGoodbye: (peer) => this.goodbyes.has(peer),
      contactOf: (peer) => routing.contactOf(peer),
      connect: (contact) =>
        client.dialer.connect(contact, {
          ...{ signal: lifetime, task: 'probe', timeoutMs: requestTimeoutMs }
        }),
      onDead: ({ id }, error) => {
        routing.remove(id)

        if (isVacancy(error)) {
          routing.recordDeparture(id)
        }
      },
      stalest: () => routing.stalest()
    })
  }
}
