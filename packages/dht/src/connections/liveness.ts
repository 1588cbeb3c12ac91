import type { Connection, Logger, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { RecentMap } from '../collections/recent-map.ts'
import { toError } from '../errors.ts'
import { inRunningTime } from '../timing/running-time.ts'
import { PingRound } from './ping-round.ts'

/** A protocol of all libp2p nodes. A peer that refuses it is alive, too. */
const PING = '/ipfs/ping/1.0.0'

/** Errors of a stream that the peer has caused by an answer. */
const SIGNS_OF_LIFE = ['UnsupportedProtocolError', 'StreamResetError']

/** Milliseconds of running time allowed for a response: a busy peer is not dead. */
const TIMEOUT_MS = 10_000

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

/** Resolves when the peer has answered. One that refuses the protocol or the stream is alive, too. */
async function ping(connection: Connection, signal: AbortSignal): Promise<void> {
  try {
    const stream = await connection.newStream(PING, { signal, runOnLimitedConnection: true })
    stream.abort(new Error('the peer is alive'))
  } catch (error) {
    if (!(error instanceof Error && SIGNS_OF_LIFE.includes(error.name))) {
      throw error
    }
  }
}
