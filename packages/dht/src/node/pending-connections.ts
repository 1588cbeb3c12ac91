import type { MultiaddrConnection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { SharedPlaces } from '../admission/shared-places.ts'
import { hostOf } from '../peers/host-of.ts'

/** Inbound connections that are being set up. */
export const MAX_PENDING_CONNECTIONS = 256

/** The part of a connection that matters before its peer is known. */
export type PendingConnection = Pick<MultiaddrConnection, 'abort' | 'addEventListener'> & {
  readonly remoteAddr: Multiaddr
}

/**
 * Counts inbound connections whose peers are not authenticated yet. Hosts share the places, so silent sockets do
 * not lock out others, and a slow handshake may take as long as filling all places takes.
 */
export class PendingConnections {
  readonly #places: SharedPlaces<PendingConnection>

  constructor(maxSize: number = MAX_PENDING_CONNECTIONS) {
    const reason = 'a connection that was not set up makes room for others'
    this.#places = new SharedPlaces({ maxSize, reason })
  }

  get size(): number {
    return this.#places.size
  }

  /** Gives a connection a place, until it ends or its peer is known. */
  add(connection: PendingConnection): void {
    this.#places.add(connection, hostOf(connection.remoteAddr))
  }

  /** Frees the place of a connection that has been set up or has ended. */
  delete(connection: PendingConnection): void {
    this.#places.delete(connection)
  }
}
