import type { PeerInfo } from '@libp2p/interface'
import { RecentMap } from '../collections/recent-map.ts'
import { byDistanceTo, pointOfKey } from './key-space.ts'
import type { PeerBook } from './peer-book.ts'
import { PeerIndex } from './peer-index.ts'
import type { Routing } from './routing.ts'

export interface UnreachableServersInit {
  readonly routing: Routing
  readonly peers: Pick<PeerBook, 'isAnyFull' | 'isFull' | 'isOutOfReach'>
  readonly numReplicas: number
}

/** Milliseconds until servers that could not be dialled are tried again. */
const MEMORY_MS = 60_000

/** Servers remembered. */
export const MAX_REMEMBERED = 1000

/**
 * The servers that a client could not dial, or that had no room for it, by their place in the key space. For as long
 * as that holds, and at most for a minute, it asks gateways first for keys of which these are the replicas.
 */
export class UnreachableServers {
  readonly #init: UnreachableServersInit
  readonly #index = new PeerIndex()
  readonly #servers = new RecentMap<string, PeerInfo>({
    maxSize: MAX_REMEMBERED,
    maxAgeMs: MEMORY_MS,
    onEvict: (_, peer) => this.#index.delete(peer)
  })

  constructor(init: UnreachableServersInit) {
    this.#init = init
  }

  /** Remembers those of a key's missing replicas that are out of reach. Returns whether there are any. */
  add(missing: readonly PeerInfo[]): boolean {
    const unreachable = missing.filter(({ id }) => this.#init.peers.isOutOfReach(id))

    for (const peer of unreachable) {
      this.#index.set(peer)
      this.#servers.set(peer.id.toString(), peer)
    }

    return unreachable.length > 0
  }

  /** Returns the share of a key's nearest servers that are out of reach. */
  share(key: Uint8Array): number {
    if (this.#servers.size === 0) {
      return 0
    }

    const { numReplicas, routing } = this.#init
    const point = pointOfKey(key)
    const missing = this.#index.nearest(point, numReplicas).filter((peer) => this.#isOut(peer))
    const nearest = [...missing, ...routing.nearest(point, numReplicas)]
      .sort(byDistanceTo(point))
      .slice(0, numReplicas)
    return nearest.filter((peer) => missing.includes(peer)).length / nearest.length || 0
  }

  /** Whether connections are scarce: at least half of a key's nearest known servers have no room for this node. */
  isScarce(key: Uint8Array): boolean {
    const { numReplicas, peers, routing } = this.#init

    if (!peers.isAnyFull) {
      return false
    }

    const nearest = routing.nearest(pointOfKey(key), numReplicas)
    const full = nearest.filter(({ id }) => peers.isFull(id))
    return full.length > 0 && 2 * full.length >= nearest.length
  }

  #isOut(peer: PeerInfo): boolean {
    const name = peer.id.toString()
    const isOut = this.#servers.has(name) && this.#init.peers.isOutOfReach(peer.id)

    if (!isOut) {
      this.#servers.delete(name)
      this.#index.delete(peer)
    }

    return isOut
  }
}
