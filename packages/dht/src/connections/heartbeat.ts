import type { ComponentLogger, Connection, Startable } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { every } from '../timing/every.ts'
import { ping } from './ping.ts'
import { PingRound } from './ping-round.ts'

/** Milliseconds between two rounds of pings. They concern idle connections: a failed request has its own check. */
const INTERVAL_MS = 120_000

/** Milliseconds without any answer after which connections are dead. Nobody waits for an idle one. */
const SILENCE_MS = 30_000

export interface HeartbeatComponents {
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  readonly logger: ComponentLogger
}

export interface HeartbeatInit {
  /** Milliseconds between two rounds. */
  readonly intervalMs?: number

  /** Milliseconds without any answer. */
  readonly silenceMs?: number
}

/**
 * Pings all connections from time to time, and ends the dead ones (N10j). It does the work of libp2p's connection
 * monitor, which pings all at one moment and ends those whose answers are late by the clock. Where a node or its
 * peers have much to do, that ends live connections by the hundred, and each of them costs a dial.
 */
export function heartbeat(init?: HeartbeatInit): (components: HeartbeatComponents) => Startable {
  return (components) => new Heartbeat(components, init)
}

class Heartbeat implements Startable {
  readonly #components: HeartbeatComponents
  readonly #init: Required<HeartbeatInit>
  #lifetime = new AbortController()
  #round: PingRound<Connection> | undefined

  constructor(
    components: HeartbeatComponents,
    { intervalMs = INTERVAL_MS, silenceMs = SILENCE_MS }: HeartbeatInit = {}
  ) {
    this.#components = components
    this.#init = { intervalMs, silenceMs }
  }

  start(): void {
    this.#lifetime = new AbortController()
    every(this.#init.intervalMs, () => void this.#beat(), this.#lifetime.signal)
  }

  stop(): void {
    this.#lifetime.abort()
    this.#round?.stop()
  }

  /** Starts a round, unless one is under way. */
  async #beat(): Promise<void> {
    if (this.#round !== undefined) {
      return
    }

    const { connectionManager, logger } = this.#components
    const log = logger.forComponent('waggle:heartbeat')
    this.#round = new PingRound({
      connections: connectionManager.getConnections(),
      ping,
      silenceMs: this.#init.silenceMs,
      end(connection, error) {
        log('the connection to %p is dead - %e', connection.remotePeer, error)
        connection.abort(error)
      }
    })
    await this.#round.done
    this.#round = undefined
  }
}
