import type { MultiaddrConnection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { SharedPlaces } from '../admission/shared-places.ts'
import { hostOf } from '../peers/host-of.ts'
import { afterRunning } from '../timing/running-time.ts'

/** Inbound connections that are being set up. */
export const MAX_PENDING_CONNECTIONS = 256

/**
 * Milliseconds of running time for a peer's authentication: as long as libp2p's dialler waits. Ending them sooner makes
 * busy hosts dial again, which is more work.
 */
export const PENDING_MS = 6000

/** The part of a connection that matters before its peer is known. */
export type PendingConnection = Pick<
  MultiaddrConnection,
  'abort' | 'addEventListener' | 'removeEventListener'
> & {
  readonly remoteAddr: Multiaddr
}

/**
 * Counts inbound connections whose peers are not authenticated yet. Hosts share the places, so silent sockets do
 * not lock out others, and a slow handshake may take as long as filling all places takes.
 */
export class PendingConnections {
  readonly #places: SharedPlaces<PendingConnection>

  /** Functions that cancel the ends of connections that take too long. */
  readonly #deadlines = new Map<PendingConnection, () => void>()

  constructor(maxSize: number = MAX_PENDING_CONNECTIONS) {
    const reason = 'a connection that was not set up makes room for others'
    const onLeave = (connection: PendingConnection): void => this.#cancel(connection)
    this.#places = new SharedPlaces({ maxSize, reason, onLeave })
  }

  get size(): number {
    return this.#places.size
  }

  /** Gives a connection a place, until it ends or its peer is known. Adding it again changes nothing. */
  add(connection: PendingConnection): void {
    if (this.#deadlines.has(connection)) {
      return
    }

    const cancel = afterRunning(PENDING_MS, () => {
      connection.abort(new Error(`the connection was not set up within ${PENDING_MS} ms`))
    })
    this.#deadlines.set(connection, cancel)
    this.#places.add(connection, hostOf(connection.remoteAddr))
  }

  /** Frees the place of a connection that has been set up or has ended. */
  delete(connection: PendingConnection): void {
    this.#places.delete(connection)
  }

  #cancel(connection: PendingConnection): void {
    this.#deadlines.get(connection)?.()
    this.#deadlines.delete(connection)
  }
}
