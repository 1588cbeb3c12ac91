import type { Connection, Logger, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { RecentMap } from '../collections/recent-map.ts'
import { toError } from '../errors.ts'
import { inRunningTime } from '../timing/running-time.ts'
import { ping } from './ping.ts'
import { PingRound } from './ping-round.ts'

/** Milliseconds of running time allowed for a response: a busy peer is not dead. */
const TIMEOUT_MS = 10_000

/** Milliseconds of running time without any answer after which all connections that were tested are dead. */
export const SILENCE_MS = 3000

/** Milliseconds between two checks of one peer. */
const INTERVAL_MS = 10_000

/** Peers whose last check is remembered. */
const MAX_REMEMBERED = 1024

export interface LivenessInit {
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  readonly log: Logger
}

/** Ends dead connections. A host that vanishes closes nothing, so a failed request is the first sign of it. */
export class Liveness {
  readonly #init: LivenessInit
  readonly #checked = new RecentMap<string, true>({
    maxSize: MAX_REMEMBERED,
    maxAgeMs: INTERVAL_MS
  })
  #round: PingRound<Connection> | undefined

  constructor(init: LivenessInit) {
    this.#init = init
  }

  /** Checks the connections to a peer that did not respond, unless they have just been checked. */
  check(peer: PeerId): void {
    const name = peer.toString()

    if (!this.#checked.has(name)) {
      this.#checked.set(name, true)

      for (const connection of this.#init.connectionManager.getConnections(peer)) {
        this.#check(connection)
      }
    }
  }

  /**
   * Checks all connections, such as after the machine slept. Resolves when each has responded or was ended. An earlier
   * check ends: its answers may be older than the last sleep.
   */
  async checkAll(): Promise<void> {
    this.#round?.stop()
    const round = new PingRound({
      connections: this.#init.connectionManager.getConnections(),
      ping,
      silenceMs: SILENCE_MS,
      end: (connection, error) => this.#end(connection, error)
    })
    this.#round = round
    await round.done
  }

  #check(connection: Connection): void {
    inRunningTime(TIMEOUT_MS, (signal) => ping(connection, signal)).catch((error) =>
      this.#end(connection, toError(error))
    )
  }

  #end(connection: Connection, error: Error): void {
    this.#init.log('the connection to %p is dead - %e', connection.remotePeer, error)
    connection.abort(error)
  }
}
