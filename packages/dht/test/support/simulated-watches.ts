import type { PeerInfo } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { nameOf } from '../../src/store/record-store.ts'
import type {
  ChangeChannel,
  WatchReply,
  WatchRequestOptions
} from '../../src/watch/watch-client.ts'
import { Watches, type WatchesInit } from '../../src/watch/watches.ts'
import { silentLog } from './silent-log.ts'
import type { SimulatedReplica, Simulation } from './simulated-replicas.ts'

/** How the peers of a simulated network tell this node of changes. */
export class SimulatedWatches implements ChangeChannel {
  readonly watches: Watches

  /** Those that know nothing of watching, or have no room for it, by their rank. */
  readonly mute = new Set<number>()

  /** Those that have no room for watchers, by their rank. */
  full: Set<number> = new Set()

  /** Whether those have room for forwarders. */
  hasForwarderPlaces = false

  /** Those that forward changes to this node, by rank. */
  readonly forwarding = new Set<number>()

  /** How often whom was asked to tell changes, by rank. */
  readonly asked = new Map<number, number>()

  /** Who was asked last to tell them at once, by rank. */
  readonly prompt = new Set<number>()
  readonly #net: Simulation
  readonly #told = new Map<SimulatedReplica, Set<string>>()

  constructor(net: Simulation, onLearned: WatchesInit['onLearned'] = () => {}) {
    this.#net = net
    this.watches = new Watches({
      channel: this,
      log: silentLog,
      numReplicas: DEFAULT_NUM_REPLICAS,
      inTime: (_, answer) => answer,
      maxForwardedKeys: 1,
      replicas: net.replicas,
      known: net.replicas.known,
      onLearned,
      store: net.self.store,
      readLatest: async (key, cancellation) =>
        (await net.replicas.read(key, { latest: true, cancellation })).record
    })

    for (const peer of net.peers) {
      peer.store.onWrite((name, { added }) => this.#onWrite(peer, name, added))
    }
  }

  /** The ranks of those that tell of a key now. */
  tellers(key: Uint8Array): number[] {
    return [...this.#net.peers.keys()].filter((rank) =>
      this.#told.get(this.#net.peer(rank))?.has(nameOf(key))
    )
  }

  /** A peer's stream ends. */
  lose(rank: number): void {
    const peer = this.#net.peer(rank)
    this.#told.delete(peer)
    this.watches.onLost(peer.id)
  }

  /** A peer is written to, and the word of it gets lost. */
  writeUnheard(rank: number, key: Uint8Array, write: DHTRecord): void {
    const peer = this.#net.peer(rank)
    const told = this.#told.get(peer)
    this.#told.delete(peer)
    peer.store.apply(key, write)
    this.#told.set(peer, told ?? new Set())
  }

  async watch(peer: PeerInfo, key: Uint8Array, options: WatchRequestOptions): Promise<WatchReply> {
    const rank = this.#net.peers.findIndex(({ id }) => id.equals(peer.id))
    this.asked.set(rank, (this.asked.get(rank) ?? 0) + 1)

    if (options.role === 'patient') {
      this.prompt.delete(rank)
    } else {
      this.prompt.add(rank)
    }

    const reply = await this.#net.find(peer, key, { ...options, isCloserAlways: true })
    const isFull = this.full.has(rank) && !(this.hasForwarderPlaces && options.role === 'forwarder')
    const isWatched = !(this.mute.has(rank) || isFull)

    if (isWatched) {
      const replica = this.#net.peer(rank)
      options.role === 'dependant' && this.forwarding.add(rank)
      this.#told.set(replica, (this.#told.get(replica) ?? new Set()).add(nameOf(key)))
    }

    return {
      isWatched,
      record: reply.record,
      closer: reply.closer,
      forwarders: isFull ? this.#net.peers.slice(5) : []
    }
  }

  unwatch({ id }: PeerInfo, key: Uint8Array): void {
    const peer = this.#net.peers.find((each) => each.id.equals(id))
    peer && this.#told.get(peer)?.delete(nameOf(key))
    peer && this.forwarding.delete(this.#net.peers.indexOf(peer))
  }

  #onWrite(peer: SimulatedReplica, name: string, write: DHTRecord): void {
    if (this.#told.get(peer)?.has(name)) {
      this.watches.onChange(Uint8Array.from(Buffer.from(name, 'latin1')), write)
    }
  }
}
