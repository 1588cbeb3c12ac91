import type { Libp2pEvents, PeerId, PeerStore, TypedEventTarget } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Contact, Routing } from '../interface.ts'
import { type Point, pointOfPeer, roughDistance } from '../lookup/key-space.ts'
import type { KadInternals } from './internals.ts'

export interface KnownPeersComponents {
  readonly kad: KadInternals
  readonly peerStore: PeerStore
  readonly registrar: Registrar
  readonly events: TypedEventTarget<Libp2pEvents>

  /** A server of our network has connected, perhaps once more. */
  readonly onConnect: (peer: PeerId) => void

  /** A peer has become one of the connected servers of our network. */
  readonly onJoin: (peer: PeerId) => void

  /** A peer is no connected server of our network any more. */
  readonly onLeave: (peer: PeerId) => void
}

/** A peer that serves our network, and why we know it. */
interface KnownPeer {
  readonly contact: Contact
  readonly isInTable: boolean
  readonly isConnected: boolean
}

/**
 * The servers of our network that this node knows, with their addresses: those in kad-dht's routing
 * table, and those that it is connected to. The table alone would not do. It takes some time to take
 * in a peer, loses one now and then when many come at once, and asking it and the peer store each
 * time costs more than all else of a request.
 */
export class KnownPeers implements Routing {
  readonly #components: KnownPeersComponents
  readonly #peers = new Map<string, KnownPeer>()

  constructor(components: KnownPeersComponents) {
    this.#components = components
  }

  /** Follows what happens from now on, until the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const { kad, events, registrar } = this.#components
    const { routingTable } = kad

    for (const id of routingTable.closestPeers(NOWHERE, { count: routingTable.size })) {
      this.#know(id, { isInTable: true })
    }

    routingTable.addEventListener(
      'peer:add',
      ({ detail }) => this.#know(detail, { isInTable: true }),
      { signal }
    )
    routingTable.addEventListener(
      'peer:remove',
      ({ detail }) => this.#know(detail, { isInTable: false }),
      { signal }
    )
    events.addEventListener(
      'peer:update',
      ({ detail: { peer } }) => this.#relocate(peer.id, peer.addresses),
      { signal }
    )
    const topology = await registrar.register(kad.protocol, {
      onConnect: (id) => {
        this.#know(id, { isConnected: true })
        this.#components.onConnect(id)
      },
      onDisconnect: (id) => this.#know(id, { isConnected: false })
    })
    signal.addEventListener('abort', () => registrar.unregister(topology))
  }

  get size(): number {
    return this.#peers.size
  }

  has(peer: PeerId): boolean {
    return this.#peers.has(peer.toString())
  }

  /** The connected ones. */
  get connected(): PeerId[] {
    const peers = [...this.#peers.values()]
    return peers.filter(({ isConnected }) => isConnected).map(({ contact }) => contact.id)
  }

  isConnected(peer: PeerId): boolean {
    return this.#peers.get(peer.toString())?.isConnected ?? false
  }

  /** Nearest first. */
  nearest(target: Point, count: number): Contact[] {
    const nearest: { contact: Contact; distance: number }[] = []

    for (const { contact } of this.#peers.values()) {
      const distance = roughDistance(target, pointOfPeer(contact.id))
      let place = nearest.length

      while (place > 0 && distance < (nearest[place - 1]?.distance ?? 0)) {
        place--
      }

      if (place < count) {
        nearest.splice(place, 0, { contact, distance })
        nearest.length = Math.min(nearest.length, count)
      }
    }

    return nearest.map(({ contact }) => contact)
  }

  /** At once; the addresses of a new one follow. */
  #know(id: PeerId, change: Partial<KnownPeer>): void {
    const name = id.toString()
    const before = this.#peers.get(name)
    const after = {
      contact: { id, multiaddrs: [] },
      isInTable: false,
      isConnected: false,
      ...before,
      ...change
    }

    if (after.isInTable || after.isConnected) {
      this.#peers.set(name, after)
    } else {
      this.#peers.delete(name)
    }

    if (before === undefined && this.#peers.has(name)) {
      this.#appear(id)
    }

    this.#tell(id, before?.isConnected ?? false, after.isConnected)
  }

  #tell(id: PeerId, wasConnected: boolean, isConnected: boolean): void {
    if (isConnected && !wasConnected) {
      this.#components.onJoin(id)
    } else if (wasConnected && !isConnected) {
      this.#components.onLeave(id)
    }
  }

  #appear(id: PeerId): void {
    this.#components.peerStore.get(id).then(
      ({ addresses }) => this.#relocate(id, addresses),
      () => {
        // libp2p finds out when it is to dial.
      }
    )
  }

  #relocate(id: PeerId, addresses: readonly { multiaddr: Multiaddr }[]): void {
    const known = this.#peers.get(id.toString())

    if (known !== undefined) {
      const multiaddrs = addresses.map(({ multiaddr }) => multiaddr)
      this.#peers.set(id.toString(), { ...known, contact: { id: known.contact.id, multiaddrs } })
    }
  }
}

/** Any point will do to list all peers. */
const NOWHERE: Point = new Uint8Array(32)
