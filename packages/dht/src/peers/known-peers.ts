import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { BoundedMap } from '../collections/bounded-map.ts'
import { type Point, pointOfPeer, roughDistance } from './key-space.ts'
import { DEPARTED_MS, NEVER_MS } from './peer-record.ts'
import type { PeerRecords } from './peer-records.ts'
import type { Membership } from './routing.ts'
import { NEIGHBOURHOOD, RoutingTable } from './routing-table.ts'

export interface KnownPeersInit {
  readonly self: PeerId
  readonly records: PeerRecords

  /** Where a server says that it is; rejects if that is not known. */
  readonly addressesOf: (peer: PeerId) => Promise<Multiaddr[]>

  /** Called with each peer that becomes a member: a server that has answered. */
  readonly onFound?: (peer: PeerId) => void

  /** Called with each peer that is no member any more: it has left, or does not answer. */
  readonly onLost?: (peer: PeerId) => void

  /** Called with each server that connects. */
  readonly onConnect?: (peer: PeerId) => void

  /** Called with each server that is disconnected, member or not. */
  readonly onDisconnect?: (peer: PeerId) => void

  /** Called with each failure of a connected server, whose connection may be dead. */
  readonly onSuspect?: (peer: PeerId) => void
}

/** Lost members remembered. */
const MAX_LOST = 20

/** A server that is there. */
export interface Member {
  readonly contact: PeerInfo

  /** Since when, in ms of the process's clock; anew after it was gone. */
  readonly sinceMs: number
}

interface LostMember {
  readonly contact: PeerInfo

  /** When it may have been there last, in ms of the process's clock. */
  presentAtMs: number
}

interface ConnectedServer {
  readonly peer: PeerId
  readonly host: string
}

/**
 * The servers of this network that this node knows: those in its routing table are members, whether
 * connected or not; some of them are connected just now.
 */
export class KnownPeers implements Membership {
  readonly table: RoutingTable
  readonly #init: KnownPeersInit
  readonly #own: Point
  readonly #connected = new Map<string, ConnectedServer>()

  /** The members that were lost last, for a node that has no other left. */
  readonly #lost = new BoundedMap<string, LostMember>({ maxSize: MAX_LOST })

  constructor(init: KnownPeersInit) {
    const { onFound, onLost, records, self } = init
    this.#init = init
    this.#own = pointOfPeer(self)
    this.table = new RoutingTable({
      self,
      onFound: (peer) => {
        records.update(peer, (record) => {
          record.isInTable = true
        })
        this.#lost.delete(peer.toString())
        this.#locate(peer)
        onFound?.(peer)
      },
      onLost: (contact) => {
        const peer = contact.id
        this.#lost.set(peer.toString(), { contact, presentAtMs: performance.now() })
        records.update(peer, (record) => {
          record.isInTable = false
        })
        onLost?.(peer)
      }
    })
  }

  get size(): number {
    return this.table.size
  }

  has(peer: PeerId): boolean {
    return this.table.has(peer)
  }

  /** The connected servers. */
  get connected(): PeerId[] {
    return Array.from(this.#connected.values(), ({ peer }) => peer)
  }

  isConnected(peer: PeerId): boolean {
    return this.#connected.has(peer.toString())
  }

  /** All members, and since when they are members. */
  members(): Member[] {
    return Array.from(this.table.entries(), ({ peer, sinceMs }) => ({ contact: peer, sinceMs }))
  }

  /** Nearest first. A node without members tries those that it lost. */
  nearest(target: Point, count: number): PeerInfo[] {
    return this.table.size > 0
      ? this.table.nearest(target, count)
      : Array.from(this.#lost.values(), ({ contact }) => contact).slice(0, count)
  }

  /**
   * Nearest first. Of the members that a lone node has lost, those are present that vanished without a word
   * less than a quarter of an hour ago: it may be the node itself that is cut off.
   */
  nearestPresent(target: Point, count: number): PeerInfo[] {
    if (this.table.size > 0) {
      return this.table.nearest(target, count)
    }

    const sinceMs = performance.now() - DEPARTED_MS
    const present = [...this.#lost.values()].filter(({ presentAtMs }) => presentAtMs > sinceMs)
    return present.map(({ contact }) => contact)
  }

  isLongSilent(peer: PeerId): boolean {
    return this.#init.records.get(peer)?.isLongSilent(performance.now()) === true
  }

  /** Those of the nearest members that are connected. */
  connectedNeighbours(count: number): PeerId[] {
    const neighbours = this.table.nearest(this.#own, count).map(({ id }) => id)
    return neighbours.filter((peer) => this.isConnected(peer))
  }

  /** Whether a peer, known or not, is as near to this node as its neighbours are. */
  isNear(peer: PeerId): boolean {
    const farthest = this.table.nearest(this.#own, NEIGHBOURHOOD)[NEIGHBOURHOOD - 1]
    return farthest === undefined || this.#distance(peer) <= this.#distance(farthest.id)
  }

  /** Takes in a server that is connected and has identified itself, from a certain machine. */
  addConnected(peer: PeerId, host: string): void {
    const isNew = !this.isConnected(peer)
    this.#connected.set(peer.toString(), { peer, host })
    this.#init.records.update(peer, (record) => {
      record.isServer = true
    })
    this.#answered(peer, host)

    if (isNew) {
      this.#init.onConnect?.(peer)
    }
  }

  /** Takes note that a peer is no connected server any more. It stays a member. */
  removeConnected(peer: PeerId): void {
    if (this.#connected.delete(peer.toString())) {
      this.#init.records.update(peer, (record) => {
        record.isServer = false
      })
      this.#init.onDisconnect?.(peer)
    }
  }

  /** Takes note of a response. */
  recordResponse(peer: PeerId): void {
    if (this.table.has(peer)) {
      this.table.confirm(peer)
      return
    }

    const connected = this.#connected.get(peer.toString())

    if (connected !== undefined) {
      this.#answered(peer, connected.host)
    }
  }

  /** Takes note of a failure. A member that is not connected and fails again and again is lost. */
  recordFailure(peer: PeerId): void {
    if (this.isConnected(peer)) {
      this.#init.onSuspect?.(peer)
    } else {
      this.table.countFailure(peer)
    }
  }

  /** Removes a server that leaves: whatever it still sends does not bring it back. */
  leave(peer: PeerId): void {
    this.removeConnected(peer)
    this.remove(peer)
    this.recordDeparture(peer)
  }

  /** Takes note that a peer that is no member any more has certainly left: it said so, or nobody listens there. */
  recordDeparture(peer: PeerId): void {
    const lost = this.#lost.get(peer.toString())

    if (lost !== undefined) {
      lost.presentAtMs = NEVER_MS
    }
  }

  /** Where a member is; undefined for a peer that is none. */
  contactOf(peer: PeerId): PeerInfo | undefined {
    return this.table.get(peer)
  }

  /** The member that has been silent for longest, of those near this node and not connected, if that is long. */
  stalest(): PeerInfo | undefined {
    return this.table.stalestNeighbour((peer) => !this.isConnected(peer))
  }

  /** Removes a member: it has left, serves no more, is banned, or nobody answers where it was. */
  remove(peer: PeerId): void {
    this.table.remove(peer)
  }

  /** Takes over the addresses of a peer, if it is a member. */
  setAddresses(peer: PeerId, multiaddrs: Multiaddr[]): void {
    this.table.relocate({ id: peer, multiaddrs })
  }

  /** The addresses of a new member follow. */
  #locate(peer: PeerId): void {
    this.#init.addressesOf(peer).then(
      (multiaddrs) => this.setAddresses(peer, multiaddrs),
      () => {
        // libp2p finds out when it is to dial.
      }
    )
  }

  #answered(peer: PeerId, host: string): void {
    this.table.add({ id: peer, multiaddrs: [] }, host)
  }

  #distance(peer: PeerId): number {
    return roughDistance(this.#own, pointOfPeer(peer))
  }
}
