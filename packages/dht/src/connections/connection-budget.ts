import type {
  Connection,
  IdentifyResult,
  Libp2pEvents,
  Logger,
  PeerId,
  PeerInfo,
  PeerStore,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { RecentMap } from '../collections/recent-map.ts'
import { toError } from '../errors.ts'
import { hostOf } from '../peers/host-of.ts'
import { pointOfPeer, sharedBits } from '../peers/key-space.ts'
import { Alarm } from '../timing/alarm.ts'
import { timeoutSignal } from '../timing/deadline.ts'
import { warn } from '../warn.ts'
import type { Activity } from '../wire/activity.ts'
import {
  type ConnectedPeer,
  nextChoiceMs,
  peersToDisconnect,
  type Watermarks
} from './budget-rule.ts'
import { type ConnectionOptions, watermarksOf } from './watermarks.ts'

/** Neighbours that stay connected, and their maximum share of the low watermark. */
const CONNECTED_NEIGHBOURS = 16
const NEIGHBOUR_SHARE = 0.5

/** Milliseconds from the first connection above the high watermark until some are closed. */
const TRIM_DELAY_MS = 100

/** Milliseconds for closing a connection gracefully. */
const CLOSE_TIMEOUT_MS = 2000

/** Protocols of libp2p that leave streams open or open them on their own, and do not keep a connection in use. */
const INCIDENTAL_PROTOCOLS = [
  '/ipfs/id/1.0.0',
  '/ipfs/id/push/1.0.0',
  '/ipfs/ping/1.0.0',
  '/libp2p/autonat/1.0.0',
  '/libp2p/dcutr'
]

/** Tags by which relays, applications and others make libp2p keep a peer. */
const KEPT_TAGS = /^(keep-alive|circuit-relay)/

/** Milliseconds between two warnings. */
const WARNING_INTERVAL_MS = 60_000

/** Tagged peers remembered. */
const MAX_REMEMBERED_TAGS = 1024

/** Milliseconds for which the result of a tag lookup is reused. */
const TAG_MEMORY_MS = 60_000

export interface ConnectionBudgetInit {
  readonly self: PeerId
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly peerStore: PeerStore
  readonly log: Logger
  readonly options: ConnectionOptions

  /** Protocols whose streams `activityOf` covers. */
  readonly ownProtocols: readonly string[]

  /** Whether a peer serves this network. */
  readonly isServer: (peer: PeerId) => boolean

  /** The nearest servers that this node knows. */
  readonly neighbours: (count: number) => readonly PeerInfo[]
  readonly activityOf: (peer: PeerId) => Activity

  /** Informs a peer that it is disconnected because it is idle. */
  readonly sayGoodbye: (peer: PeerId) => Promise<void>
}

/**
 * Keeps useful connections, and room for others (N10a). Above the high watermark it closes the least useful ones,
 * and sends the peers at the other end the reason.
 */
export class ConnectionBudget {
  readonly #init: ConnectionBudgetInit
  /** Time at which each connection was opened, in ms of the process's clock. */
  readonly #openedAtMs = new WeakMap<Connection, number>()
  readonly #identified = new WeakSet<Connection>()
  readonly #closing = new Set<string>()
  /** Peers whose tags were found. */
  readonly #tagged = new RecentMap<string, true>({
    maxSize: MAX_REMEMBERED_TAGS,
    maxAgeMs: TAG_MEMORY_MS
  })
  readonly #ignored: ReadonlySet<string>
  readonly #alarm = new Alarm(() => this.sweep())
  #closed = 0
  #warnedAtMs = Number.NEGATIVE_INFINITY

  constructor(init: ConnectionBudgetInit) {
    this.#init = init
    this.#ignored = new Set([...INCIDENTAL_PROTOCOLS, ...init.ownProtocols])
  }

  /** Connections that stay after trimming. */
  get low(): number {
    return this.#watermarks.low
  }

  /** Number of peers disconnected so far because there were too many. */
  get closed(): number {
    return this.#closed
  }

  /** Enforces the watermarks until the signal is aborted. */
  follow(signal: AbortSignal): void {
    const { connectionManager, events } = this.#init
    const onOpen = ({ detail }: CustomEvent<Connection>): void => {
      this.#openedAtMs.set(detail, performance.now())
      this.#alarm.within(this.#isCrowded ? 0 : TRIM_DELAY_MS)
    }
    const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
      this.#identified.add(detail.connection)
    }

    for (const connection of connectionManager.getConnections()) {
      this.#openedAtMs.set(connection, performance.now())
      this.#identified.add(connection)
    }

    events.addEventListener('connection:open', onOpen, { signal })
    events.addEventListener('peer:identify', onIdentify, { signal })
    signal.addEventListener('abort', () => this.#alarm.stop())
  }

  /** Closes connections above the watermarks, unless they are protected. */
  sweep(): void {
    if (!this.#mayExceedWatermarks) {
      return
    }

    const nowMs = performance.now()
    const connected = this.#connected()
    const names = peersToDisconnect([...connected.keys()], this.#watermarks, nowMs)

    if (names.length > 0 && this.#isCrowded) {
      this.#warn(nowMs)
    }

    for (const [{ name }, connections] of connected) {
      if (names.includes(name)) {
        this.#disconnect(name, connections).catch((error) =>
          this.#init.log('could not close the connection to %s - %e', name, error)
        )
      }
    }

    const nextMs = nextChoiceMs([...connected.keys()], this.#watermarks, nowMs)

    if (nextMs !== undefined) {
      this.#alarm.within(Math.max(nextMs, TRIM_DELAY_MS))
    }
  }

  #warn(nowMs: number): void {
    const { connectionManager, log } = this.#init

    if (nowMs - this.#warnedAtMs > WARNING_INTERVAL_MS) {
      this.#warnedAtMs = nowMs
      warn(
        `nearly all ${connectionManager.getMaxConnections()} connections are in use: idle ones are closed for newcomers. Raise libp2pOptions.connectionManager.maxConnections if this machine can hold more.`,
        log
      )
    }
  }

  get #watermarks(): Watermarks {
    const { connectionManager, options } = this.#init
    return watermarksOf(options, connectionManager.getMaxConnections())
  }

  /** Whether some connections may have to be closed, judged by their number alone. */
  get #mayExceedWatermarks(): boolean {
    const { high, highTotal } = this.#watermarks
    return this.#init.connectionManager.getConnections().length > Math.min(high, highTotal)
  }

  get #isCrowded(): boolean {
    return this.#init.connectionManager.getConnections().length > this.#watermarks.highTotal
  }

  #connected(): Map<ConnectedPeer, readonly Connection[]> {
    const { connectionManager, neighbours } = this.#init
    const count = Math.min(CONNECTED_NEIGHBOURS, Math.floor(this.low * NEIGHBOUR_SHARE))
    const near = new Set(neighbours(count).map(({ id }) => id.toString()))
    const connected = new Map<ConnectedPeer, readonly Connection[]>()

    for (const connections of connectionManager.getConnectionsMap().values()) {
      // Relayed connections are limited, and end by themselves.
      const direct = connections.filter(({ limits }) => limits === undefined)
      const [first] = direct
      const name = first?.remotePeer.toString() ?? ''

      if (first !== undefined && !this.#closing.has(name)) {
        connected.set(this.#seen(first.remotePeer, direct, near.has(name)), direct)
      }
    }

    return connected
  }

  #seen(peer: PeerId, connections: readonly Connection[], isNeighbour: boolean): ConnectedPeer {
    const { activityOf, isServer, self } = this.#init
    const { isBusy, usedAtMs } = activityOf(peer)
    const openedAtMs = Math.max(...connections.map((one) => this.#openedAtMs.get(one) ?? 0))
    const isIdentified = connections.some((one) => this.#identified.has(one))
    const identified = isServer(peer) ? 'server' : 'client'
    return {
      name: peer.toString(),
      connections: connections.length,
      role: isIdentified ? identified : 'unidentified',
      host: connections[0] === undefined ? '' : hostOf(connections[0].remoteAddr),
      sharedBits: sharedBits(pointOfPeer(self), pointOfPeer(peer)),
      isNeighbour,
      isBusy: isBusy || this.#isHeld(peer, connections),
      openedAtMs,
      usedAtMs: Math.max(usedAtMs, openedAtMs)
    }
  }

  /** Whether code other than this library uses a connection. */
  #isHeld(peer: PeerId, connections: readonly Connection[]): boolean {
    const streams = connections.flatMap((connection) => connection.streams)
    return (
      this.#tagged.has(peer.toString()) ||
      streams.some(({ protocol }) => protocol !== '' && !this.#ignored.has(protocol))
    )
  }

  async #disconnect(name: string, connections: readonly Connection[]): Promise<void> {
    const [peer] = connections.map(({ remotePeer }) => remotePeer)

    if (peer === undefined) {
      return
    }

    this.#closing.add(name)

    try {
      if (await this.#isTagged(peer)) {
        this.#tagged.set(name, true)
        this.#alarm.within(TRIM_DELAY_MS)
      } else {
        this.#closed++
        const signal = timeoutSignal(CLOSE_TIMEOUT_MS)
        await this.#init.sayGoodbye(peer).catch(() => {})
        await Promise.all(connections.map((connection) => close(connection, signal)))
      }
    } finally {
      this.#closing.delete(name)
    }
  }

  async #isTagged(peer: PeerId): Promise<boolean> {
    const known = await this.#init.peerStore.get(peer).catch(() => undefined)
    return [...(known?.tags.keys() ?? [])].some((tag) => KEPT_TAGS.test(tag))
  }
}

async function close(connection: Connection, signal: AbortSignal): Promise<void> {
  try {
    await connection.close({ signal })
  } catch (error) {
    connection.abort(toError(error))
  }
}
