import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { SEARCH_WIDTH } from '../constants.ts'
import { type Point, pointOfPeer, roughDistance } from './key-space.ts'
import { DEPARTED_MS, type Loss } from './peer-record.ts'
import type { PeerRecords } from './peer-records.ts'
import type { Membership } from './routing.ts'
import { RoutingTable } from './routing-table.ts'
import { NEIGHBOURHOOD } from './table-rules.ts'

export interface KnownPeersInit {
  readonly self: PeerId
  readonly records: PeerRecords

  /** Resolves with a server's addresses; rejects if there are none. */
  readonly addressesOf: (peer: PeerId) => Promise<Multiaddr[]>

  /** Called with each new member: a server that has responded. */
  readonly onFound?: (peer: PeerId) => void

  /** Called with each lost member: it has left, or does not respond. */
  readonly onLost?: (peer: PeerId) => void

  /** Called with each server that connects. */
  readonly onConnect?: (peer: PeerId) => void

  /** Called with each server that is disconnected, member or not. */
  readonly onDisconnect?: (peer: PeerId) => void

  /** Called with each failure of a connected server, whose connection may be dead. */
  readonly onSuspect?: (peer: PeerId) => void
}

/** Milliseconds without a new or lost server near a key after which all hand-overs of its record are over (N7). */
export const SETTLED_MS = 30_000

/** Losses remembered, the latest: a node without members turns to these. */
export const MAX_LOST = 20

/** A present server. */
export interface Member {
  readonly contact: PeerInfo

  /** Time at which it became a member, in ms of the process's clock. Renewed after an absence. */
  readonly sinceMs: number
}

interface ConnectedServer {
  readonly peer: PeerId
  readonly host: string
}

/** The known servers of this network. Servers in the routing table are members, whether connected or not. */
export class KnownPeers implements Membership {
  readonly table: RoutingTable
  readonly #init: KnownPeersInit
  readonly #own: Point
  readonly #connected = new Map<string, ConnectedServer>()

  /** The lost members, the earliest first. */
  readonly #lost = new Map<string, PeerId>()

  /** Time of the last change among the members, in ms of the process's clock. */
  #changedMs = Number.NEGATIVE_INFINITY

  /** Time since which this node may have been handed over what it should hold, in ms of the process's clock. */
  #unsettledMs = performance.now()

  constructor(init: KnownPeersInit) {
    const { onFound, onLost, records, self } = init
    this.#init = init
    this.#own = pointOfPeer(self)
    this.table = new RoutingTable({
      self,
      onFound: (peer) => {
        records.update(peer, (record) => {
          record.isInTable = true
          record.loss = undefined
        })
        this.#lost.delete(peer.toString())
        this.#changedMs = performance.now()
        this.#locate(peer)
        onFound?.(peer)
      },
      onLost: (contact) => {
        const peer = contact.id
        this.#changedMs = performance.now()
        records.update(peer, (record) => {
          record.isInTable = false
          record.loss = { contact, atMs: this.#changedMs, hasLeft: false }
        })
        this.#lost.delete(peer.toString())
        this.#lost.set(peer.toString(), peer)
        this.#forgetOldLosses()
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

  /** All members, with the times at which they became members. */
  members(): Member[] {
    return Array.from(this.table.entries(), ({ peer, sinceMs }) => ({ contact: peer, sinceMs }))
  }

  /** Known peers, nearest first. A node without members returns its lost ones. */
  nearest(target: Point, count: number): PeerInfo[] {
    return this.table.size > 0
      ? this.table.nearest(target, count)
      : this.#losses()
          .map(({ contact }) => contact)
          .slice(0, count)
  }

  /**
   * Present peers, nearest first. For a node without members, {@link vanished} ones count as present: the node itself
   * may be cut off.
   */
  nearestPresent(target: Point, count: number): PeerInfo[] {
    return this.table.size > 0 ? this.table.nearest(target, count) : this.vanished()
  }

  /** Lists the members that vanished without a goodbye less than a quarter of an hour ago: they may return. */
  vanished(): PeerInfo[] {
    const sinceMs = performance.now() - DEPARTED_MS
    const vanished = this.#losses().filter(({ atMs, hasLeft }) => !hasLeft && atMs > sinceMs)
    return vanished.map(({ contact }) => contact)
  }

  isSettled(target: Point, numReplicas: number): boolean {
    const sinceMs = performance.now() - SETTLED_MS
    const hasStayed = this.#unsettledMs <= sinceMs
    return hasStayed && (this.#changedMs <= sinceMs || this.#isQuietNear(target, numReplicas))
  }

  /**
   * Whether of the servers that a search for a point would ask, none has come lately, so none has displaced a replica
   * or brought a record, and too few have left for all replicas to be among them.
   */
  #isQuietNear(target: Point, numReplicas: number): boolean {
    const sinceMs = performance.now() - SETTLED_MS
    const nearest = this.table.nearest(target, SEARCH_WIDTH)
    const farthest = nearest[SEARCH_WIDTH - 1]
    const reach = farthest && roughDistance(target, pointOfPeer(farthest.id))
    const hasLeft = ({ atMs, contact: { id } }: Loss): boolean =>
      atMs > sinceMs && (reach === undefined || roughDistance(target, pointOfPeer(id)) <= reach)
    return (
      nearest.every(({ id }) => (this.table.sinceMs(id) ?? Number.POSITIVE_INFINITY) <= sinceMs) &&
      this.#losses().filter(hasLeft).length < numReplicas
    )
  }

  /** Records that this node may lack what it should hold: it has just begun to serve, or slept. */
  unsettle(): void {
    this.#unsettledMs = performance.now()
  }

  isLongSilent(peer: PeerId): boolean {
    return this.#init.records.get(peer)?.isLongSilent(performance.now()) === true
  }

  /** The connected ones among the nearest members. */
  connectedNeighbours(count: number): PeerId[] {
    const neighbours = this.table.nearest(this.#own, count).map(({ id }) => id)
    return neighbours.filter((peer) => this.isConnected(peer))
  }

  /** Whether a peer, known or not, is as near to this node as its neighbours are. */
  isNear(peer: PeerId): boolean {
    const farthest = this.table.nearest(this.#own, NEIGHBOURHOOD)[NEIGHBOURHOOD - 1]
    return farthest === undefined || this.#distance(peer) <= this.#distance(farthest.id)
  }

  /** Adds a connected server that has completed identify, with its host. */
  addConnected(peer: PeerId, host: string): void {
    const isNew = !this.isConnected(peer)
    this.#connected.set(peer.toString(), { peer, host })
    this.#init.records.update(peer, (record) => {
      record.isServer = true
    })
    this.#onResponse(peer, host)

    if (isNew) {
      this.#init.onConnect?.(peer)
    }
  }

  /** Records that a peer is no longer a connected server. It stays a member. */
  removeConnected(peer: PeerId): void {
    if (this.#connected.delete(peer.toString())) {
      this.#init.records.update(peer, (record) => {
        record.isServer = false
      })
      this.#init.onDisconnect?.(peer)
    }
  }

  /** Records a response. */
  recordResponse(peer: PeerId): void {
    if (this.table.confirm(peer)) {
      return
    }

    const connected = this.#connected.get(peer.toString())

    if (connected !== undefined) {
      this.#onResponse(peer, connected.host)
    }
  }

  /** Records a failure. A member that is not connected and fails repeatedly is lost. */
  recordFailure(peer: PeerId): void {
    if (this.isConnected(peer)) {
      this.#init.onSuspect?.(peer)
    } else {
      this.table.countFailure(peer)
    }
  }

  /** Removes a server that leaves. Its later messages do not add it again. */
  leave(peer: PeerId): void {
    this.removeConnected(peer)
    this.remove(peer)
    this.recordDeparture(peer)
  }

  /** Records that a former member has certainly left: it sent a goodbye, or no process listens at its address. */
  recordDeparture(peer: PeerId): void {
    const loss = this.#init.records.get(peer)?.loss

    if (loss !== undefined) {
      this.#init.records.update(peer, (record) => {
        record.loss = { ...loss, hasLeft: true }
      })
    }
  }

  /** The addresses of a member; undefined for other peers. */
  contactOf(peer: PeerId): PeerInfo | undefined {
    return this.table.get(peer)
  }

  /** The member near this node that has been silent for longest and is not connected, if that exceeds a limit. */
  stalest(): PeerInfo | undefined {
    return this.table.stalestNeighbour((peer) => !this.isConnected(peer))
  }

  /** Removes a member: it has left, serves no more, is banned, or is unreachable. */
  remove(peer: PeerId): void {
    this.table.remove(peer)
  }

  /** Replaces the addresses of a member. */
  setAddresses(peer: PeerId, multiaddrs: Multiaddr[]): void {
    this.table.relocate({ id: peer, multiaddrs })
  }

  /** Lists the losses, the earliest first. */
  #losses(): Loss[] {
    const losses = Array.from(this.#lost.values(), (peer) => this.#init.records.get(peer)?.loss)
    return losses.filter((loss) => loss !== undefined)
  }

  #forgetOldLosses(): void {
    for (const [name, peer] of this.#lost) {
      if (this.#lost.size <= MAX_LOST) {
        break
      }

      this.#lost.delete(name)
      this.#forgetLoss(peer)
    }
  }

  #forgetLoss(peer: PeerId): void {
    this.#init.records.update(peer, (record) => {
      if (record.loss !== undefined && record.loss.atMs > performance.now() - SETTLED_MS) {
        this.unsettle()
      }

      record.loss = undefined
    })
  }

  /** Looks up the addresses of a new member. */
  #locate(peer: PeerId): void {
    this.#init.addressesOf(peer).then(
      (multiaddrs) => this.setAddresses(peer, multiaddrs),
      () => {
        // libp2p finds the addresses when it dials.
      }
    )
  }

  #onResponse(peer: PeerId, host: string): void {
    this.table.add({ id: peer, multiaddrs: [] }, host)
  }

  #distance(peer: PeerId): number {
    return roughDistance(this.#own, pointOfPeer(peer))
  }
}
