import type { MultiaddrConnection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { hostOf } from '../peers/host-of.ts'

/** Connections of others that are being set up. */
export const MAX_PENDING_CONNECTIONS = 256

/** The part of a connection that matters before its peer is known. */
export type PendingConnection = Pick<MultiaddrConnection, 'abort' | 'addEventListener'> & {
  readonly remoteAddr: Multiaddr
}

/**
 * Counts the connections that others have begun and nobody has shown who they are yet. Places are for
 * whoever needs them: when there is none left, the host that has most of them loses its oldest. So sockets
 * that say nothing keep nobody out, and those who go on with it have as much time as it takes to fill all places.
 */
export class PendingConnections {
  readonly #maxSize: number

  /** Oldest first. */
  readonly #hosts = new Map<PendingConnection, string>()

  constructor(maxSize: number = MAX_PENDING_CONNECTIONS) {
    this.#maxSize = maxSize
  }

  get size(): number {
    return this.#hosts.size
  }

  /** Gives a connection a place, until it ends or is known. */
  add(connection: PendingConnection): void {
    this.#hosts.set(connection, hostOf(connection.remoteAddr))
    connection.addEventListener('close', () => this.delete(connection))

    if (this.#hosts.size > this.#maxSize) {
      this.#evict(this.#busiestHost())
    }
  }

  /** The connection has been set up, or has ended. */
  delete(connection: PendingConnection): void {
    this.#hosts.delete(connection)
  }

  #busiestHost(): string {
    const counts = new Map<string, number>()

    for (const host of this.#hosts.values()) {
      counts.set(host, (counts.get(host) ?? 0) + 1)
    }

    return [...counts].reduce((busiest, one) => (one[1] > busiest[1] ? one : busiest))[0]
  }

  #evict(host: string): void {
    for (const [connection, other] of this.#hosts) {
      if (other === host) {
        this.delete(connection)
        connection.abort(new Error('others need the place of a connection that was not set up'))
        return
      }
    }
  }
}
