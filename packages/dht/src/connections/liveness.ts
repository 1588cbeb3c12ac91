import type { Connection, Logger, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { BoundedMap } from '../collections/bounded-map.ts'
import { toError } from '../errors.ts'
import { timeoutSignal } from '../timing/deadline.ts'

/** A protocol of all libp2p nodes. A peer that refuses it is alive, too. */
const PING = '/ipfs/ping/1.0.0'

/** Milliseconds allowed for a response: a busy peer is not dead. */
const TIMEOUT_MS = 10_000

/** Milliseconds between two checks of one peer. */
const INTERVAL_MS = 10_000

/** Peers whose last check is remembered. */
const MAX_REMEMBERED = 1024

export interface LivenessInit {
  readonly connectionManager: ConnectionManager
  readonly log: Logger
}

/** Ends dead connections. A host that vanishes closes nothing, so a failed request is the first sign of it. */
export class Liveness {
  readonly #init: LivenessInit
  readonly #checkedAtMs = new BoundedMap<string, number>({ maxSize: MAX_REMEMBERED })

  constructor(init: LivenessInit) {
    this.#init = init
  }

  /** Checks the connections to a peer that did not respond, unless they have just been checked. */
  check(peer: PeerId): void {
    const name = peer.toString()
    const nowMs = performance.now()
    const checkedAtMs = this.#checkedAtMs.get(name)

    if (checkedAtMs === undefined || checkedAtMs <= nowMs - INTERVAL_MS) {
      this.#checkedAtMs.set(name, nowMs)

      for (const connection of this.#init.connectionManager.getConnections(peer)) {
        void this.#check(connection, TIMEOUT_MS)
      }
    }
  }

  /** Checks all connections, such as after the machine slept. Resolves when each has responded or was ended. */
  async checkAll(timeoutMs: number): Promise<void> {
    const connections = this.#init.connectionManager.getConnections()
    await Promise.all(connections.map((connection) => this.#check(connection, timeoutMs)))
  }

  async #check(connection: Connection, timeoutMs: number): Promise<void> {
    try {
      await this.#ping(connection, timeoutSignal(timeoutMs))
    } catch (error) {
      this.#init.log('the connection to %p is dead - %e', connection.remotePeer, error)
      connection.abort(toError(error))
    }
  }

  async #ping(connection: Connection, signal: AbortSignal): Promise<void> {
    try {
      const stream = await connection.newStream(PING, { signal, runOnLimitedConnection: true })
      stream.abort(new Error('the peer is alive'))
    } catch (error) {
      if (!(error instanceof Error && error.name === 'UnsupportedProtocolError')) {
        throw error
      }
    }
  }
}
