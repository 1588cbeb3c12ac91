import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Point } from './key-space.ts'
import { PeerIndex } from './peer-index.ts'
import { NEVER_MS, type PeerRecord } from './peer-record.ts'
import type { PeerRecords } from './peer-records.ts'
import type { Routing } from './routing.ts'

export interface KnownPeersInit {
  readonly records: PeerRecords

  /** Called with each peer that becomes a connected server of this network. */
  readonly onJoin?: (peer: PeerId) => void

  /** Called with each peer that is no connected server of this network any more. */
  readonly onLeave?: (peer: PeerId) => void
}

/** A server that is there. */
export interface Member {
  readonly contact: PeerInfo

  /** Since when, in ms of the process's clock; anew after it was gone. */
  readonly sinceMs: number
}

/**
 * The servers of this network that this node knows, by their distance: those in kad-dht's routing
 * table, and those that are connected. The table alone would not do. It takes some time to take in a
 * peer, loses one now and then when many come at once, and asking it and the peer store each time
 * costs more than all else of a request.
 */
export class KnownPeers implements Routing {
  readonly #init: KnownPeersInit
  readonly #known = new Map<string, PeerRecord>()
  readonly #index = new PeerIndex()

  constructor(init: KnownPeersInit) {
    this.#init = init
  }

  get size(): number {
    return this.#known.size
  }

  has(peer: PeerId): boolean {
    return this.#known.has(peer.toString())
  }

  /** The connected ones. */
  get connected(): PeerId[] {
    return [...this.#known.values()].filter(({ isServer }) => isServer).map(({ id }) => id)
  }

  isConnected(peer: PeerId): boolean {
    return this.#known.get(peer.toString())?.isServer === true
  }

  /** Those that have not gone away since they were last connected. */
  members(): Member[] {
    const members = [...this.#known.values()].filter(({ hasLeft }) => !hasLeft)
    return members.map(({ contact, sinceMs }) => ({ contact, sinceMs }))
  }

  /** Nearest first. */
  nearest(target: Point, count: number): PeerInfo[] {
    return this.#index.nearest(target, count)
  }

  /** Takes over whether kad-dht's routing table has a peer. */
  setInTable(peer: PeerId, isInTable: boolean): void {
    this.#update(peer, (record) => {
      record.isInTable = isInTable
    })
  }

  /** Leaves out a peer that is not connected, until it is heard of again. */
  forget(peer: PeerId): void {
    if (!this.isConnected(peer)) {
      this.setInTable(peer, false)
    }
  }

  /** Takes over whether a peer is connected and serves this network. */
  setServer(peer: PeerId, isServer: boolean): void {
    const wasServer = this.isConnected(peer)
    this.#update(peer, (record) => {
      if (isServer && record.hasLeft) {
        record.sinceMs = performance.now()
      }

      record.isServer = isServer
      record.hasLeft = !isServer
    })

    if (isServer !== wasServer) {
      const { onJoin, onLeave } = this.#init
      const tell = isServer ? onJoin : onLeave
      tell?.(peer)
    }
  }

  /** Takes over the addresses of a peer, if it is known. */
  setAddresses(peer: PeerId, multiaddrs: Multiaddr[]): void {
    const record = this.#known.get(peer.toString())

    if (record !== undefined) {
      record.contact = { id: record.id, multiaddrs }
      this.#index.set(record.contact)
    }
  }

  #update(peer: PeerId, change: (record: PeerRecord) => void): void {
    const isKnown = this.has(peer)
    const record = this.#init.records.update(peer, (changed) => {
      change(changed)
      const isStillKnown = changed.isInTable || changed.isServer

      if (isStillKnown && !isKnown) {
        changed.sinceMs = performance.now()
      } else if (!isStillKnown) {
        Object.assign(changed, { sinceMs: NEVER_MS, hasLeft: false })
      }
    })

    if (record.isInTable || record.isServer) {
      this.#known.set(peer.toString(), record)
      this.#index.set(record.contact)
    } else if (isKnown) {
      this.#known.delete(peer.toString())
      this.#index.delete(record.contact)
    }
  }
}
