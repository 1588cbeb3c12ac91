import type { Libp2pEvents, PeerId, PeerInfo, PeerStore, TypedEventTarget } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Point } from '../peers/key-space.ts'
import { PeerIndex } from '../peers/peer-index.ts'
import type { Routing } from '../peers/routing.ts'
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
  readonly contact: PeerInfo
  readonly isInTable: boolean
  readonly isConnected: boolean

  /** Whether it was connected, and is no more. */
  readonly hasLeft: boolean

  /** Since when it has been there, in ms of the process's clock. */
  readonly sinceMs: number
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
  readonly #index = new PeerIndex()

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
        this.#know(id, { isConnected: true, hasLeft: false })
        this.#components.onConnect(id)
      },
      onDisconnect: (id) => this.#know(id, { isConnected: false, hasLeft: true })
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

  /** Those that have not gone away since they were last connected, and since when they are there. */
  present(): { contact: PeerInfo; sinceMs: number }[] {
    return [...this.#peers.values()].filter(({ hasLeft }) => !hasLeft)
  }

  /** Leaves out a peer that is not connected, until it is heard of again. */
  forget(peer: PeerId): void {
    if (!this.isConnected(peer)) {
      this.#know(peer, { isInTable: false })
    }
  }

  isConnected(peer: PeerId): boolean {
    return this.#peers.get(peer.toString())?.isConnected ?? false
  }

  /** Nearest first. */
  nearest(target: Point, count: number): PeerInfo[] {
    return this.#index.nearest(target, count)
  }

  /** At once; the addresses of a new one follow. */
  #know(id: PeerId, change: Partial<KnownPeer>): void {
    const name = id.toString()
    const before = this.#peers.get(name)
    const after = {
      contact: { id, multiaddrs: [] },
      isInTable: false,
      isConnected: false,
      hasLeft: false,
      sinceMs: performance.now(),
      ...before,
      ...change,
      ...(before?.hasLeft && change.isConnected && { sinceMs: performance.now() })
    }

    if (after.isInTable || after.isConnected) {
      this.#peers.set(name, after)
      this.#index.set(after.contact)
    } else {
      this.#peers.delete(name)
      this.#index.delete(after.contact)
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
      const contact = { id: known.contact.id, multiaddrs }
      this.#peers.set(id.toString(), { ...known, contact })
      this.#index.set(contact)
    }
  }
}

/** Any point will do to list all peers. */
const NOWHERE: Point = new Uint8Array(32)
