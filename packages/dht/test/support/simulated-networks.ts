import type { PeerId, PeerInfo } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { SEARCH_WIDTH } from '../../src/constants.ts'
import { NetworkMerge } from '../../src/discovery/network-merge.ts'
import { pointOfKey, pointOfPeer, roughDistance } from '../../src/peers/key-space.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { peerNumber } from './numbered-peers.ts'

const ADDRESS = [multiaddr('/ip4/10.0.0.1/tcp/1337')]

/** Peers in one bucket of kad-dht. */
const BUCKET_SIZE = 20

/** A simulated peer: its routing table, and its part in merging networks. */
export class SimulatedPeer {
  readonly contact: PeerInfo
  readonly known = new Map<string, SimulatedPeer>()
  readonly #merge: NetworkMerge
  readonly #world: SimulatedWorld

  constructor(id: PeerId, world: SimulatedWorld) {
    this.contact = { id, multiaddrs: ADDRESS }
    this.#world = world
    const peers = new PeerBook({ nowMs: () => world.nowMs })
    this.#merge = new NetworkMerge({
      self: id,
      peers,
      ask: async (peer, key) => {
        world.questions++
        return world.peer(peer).nearest(pointOfKey(key), SEARCH_WIDTH)
      },
      connect: async (contact) => {
        try {
          this.dial(world.peer(contact.id))
          peers.recordDial(contact, true)
        } catch (error) {
          peers.recordDial(contact, false)
          throw error
        }
      },
      nearest: (target, count) => this.nearest(target, count),
      isKnown: (other) => this.known.has(other.toString()),
      now: () => world.nowMs
    })
  }

  get id(): PeerId {
    return this.contact.id
  }

  nearest(target: Uint8Array, count: number): PeerInfo[] {
    return [...this.known.values()]
      .map(({ contact }) => contact)
      .sort(
        (a, b) =>
          roughDistance(target, pointOfPeer(a.id)) - roughDistance(target, pointOfPeer(b.id))
      )
      .slice(0, count)
  }

  /** Adds a peer if there is room for it at its distance, as kad-dht's table does. */
  learn(peer: SimulatedPeer): void {
    const own = pointOfPeer(this.id)
    const distance = Math.floor(Math.log2(roughDistance(own, pointOfPeer(peer.id))))
    const alike = [...this.known.values()].filter(
      ({ id }) => Math.floor(Math.log2(roughDistance(own, pointOfPeer(id)))) === distance
    )

    if (peer !== this && alike.length < BUCKET_SIZE) {
      this.known.set(peer.id.toString(), peer)
    }
  }

  /** Asks some peers for neighbours that it does not know, and for peers at distances where it knows none. */
  async refresh(peers: readonly SimulatedPeer[]): Promise<void> {
    const asked = peers.map(({ id }) => id)
    await this.#merge.refresh(asked)
    await this.#merge.fillDistances(asked)
  }

  /** Joins a network through a peer. */
  join(peer: SimulatedPeer): void {
    this.dial(peer)
    this.#merge.discover(peer.id)
  }

  dial(peer: SimulatedPeer): void {
    if (this.#world.dead.has(peer)) {
      this.#world.failures++
      throw new Error(`${peer.id} is dead`)
    }

    if (this.known.get(peer.id.toString()) !== peer && peer !== this) {
      this.#world.dials++
      this.learn(peer)
      peer.learn(this)
      peer.#merge.discover(this.id)
    }
  }

  /** Returns the nearest peers that an iterative search of this one finds. */
  search(target: Uint8Array, count: number): string[] {
    const found = new Map([...this.known])
    const asked = new Set<string>()
    found.set(this.id.toString(), this)

    for (;;) {
      const nearest = [...found.values()]
        .sort(
          (a, b) =>
            roughDistance(target, pointOfPeer(a.id)) - roughDistance(target, pointOfPeer(b.id))
        )
        .slice(0, count)
      const next = nearest.find(({ id }) => !asked.has(id.toString()))

      if (next === undefined) {
        return nearest.map(({ id }) => id.toString())
      }

      asked.add(next.id.toString())

      for (const { id } of next.nearest(target, SEARCH_WIDTH)) {
        found.set(id.toString(), this.#world.peer(id))
      }
    }
  }
}

/** All peers, and their costs. */
export class SimulatedWorld {
  readonly #peers = new Map<string, SimulatedPeer>()
  #added = 0
  readonly dead = new Set<SimulatedPeer>()
  questions = 0
  dials = 0
  failures = 0
  nowMs = 0

  /** Adds a network of peers that know each other as well as their tables allow. */
  network(size: number): SimulatedPeer[] {
    const peers = Array.from(
      { length: size },
      () => new SimulatedPeer(peerNumber(this.#added++), this)
    )

    for (const peer of peers) {
      this.#peers.set(peer.id.toString(), peer)

      for (const other of peers) {
        peer.learn(other)
      }
    }

    return peers
  }

  peer(id: PeerId): SimulatedPeer {
    const peer = this.#peers.get(id.toString())

    if (peer === undefined) {
      throw new Error(`there is no peer ${id}`)
    }

    return peer
  }

  /** Resolves when no peer has any work left. */
  async settled(): Promise<void> {
    for (let before = -1; before !== this.questions + this.dials; ) {
      before = this.questions + this.dials
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
