import type { MultiaddrConnection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { SharedPlaces } from '../admission/shared-places.ts'
import { hostOf } from '../peers/host-of.ts'

/** Connections of others that are being set up. */
export const MAX_PENDING_CONNECTIONS = 256

/** The part of a connection that matters before its peer is known. */
export type PendingConnection = Pick<MultiaddrConnection, 'abort' | 'addEventListener'> & {
  readonly remoteAddr: Multiaddr
}

/**
 * Counts the connections that others have begun and nobody has shown who they are yet. Hosts share the
 * places. So sockets that say nothing keep nobody out, and those who go on with it have as much time as it
 * takes to fill all places.
 */
export class PendingConnections {
  readonly #places: SharedPlaces<PendingConnection>

  constructor(maxSize: number = MAX_PENDING_CONNECTIONS) {
    const reason = 'others need the place of a connection that was not set up'
    this.#places = new SharedPlaces({ maxSize, reason })
  }

  get size(): number {
    return this.#places.size
  }

  /** Gives a connection a place, until it ends or is known. */
  add(connection: PendingConnection): void {
    this.#places.add(connection, hostOf(connection.remoteAddr))
  }

  /** The connection has been set up, or has ended. */
  delete(connection: PendingConnection): void {
    this.#places.delete(connection)
  }
}
