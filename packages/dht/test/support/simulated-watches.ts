import type { PeerInfo } from '@libp2p/interface'
import type { DHTRecord } from '@waggle/record'
import { project } from '@waggle/record/replica'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { placeName } from '../../src/store/place-name.ts'
import type {
  ChangeChannel,
  WatchReply,
  WatchRequestOptions
} from '../../src/watch/watch-client.ts'
import type { WatchedPlace } from '../../src/watch/watch-messages.ts'
import { Watches, type WatchesInit } from '../../src/watch/watches.ts'
import { silentLog } from './silent-log.ts'
import type { SimulatedReplica, Simulation } from './simulated-replicas.ts'

/** The notifications of a simulated network's peers. */
export class SimulatedWatches implements ChangeChannel {
  readonly watches: Watches

  /** The ranks of peers without the watch protocol, or without room. */
  readonly mute = new Set<number>()

  /** The ranks of peers without room for watchers. */
  full: Set<number> = new Set()

  /** Whether those have room for forwarders. */
  hasForwarderPlaces = false

  /** The ranks of peers that forward changes to this node. */
  readonly forwarding = new Set<number>()

  /** Numbers of requests to notify, by rank. */
  readonly asked = new Map<number, number>()

  /** The ranks of peers whose last request asks for prompt notices. */
  readonly prompt = new Set<number>()
  readonly #net: Simulation
  readonly #told = new Map<SimulatedReplica, Map<string, WatchedPlace>>()

  /** The notices, in order. */
  readonly tellings: { readonly rank: number; readonly subkey: string | undefined }[] = []

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
      readLatest: async (key, cancellation, subkey) =>
        (await net.replicas.read(key, { latest: true, cancellation, subkey })).record
    })

    for (const peer of net.peers) {
      peer.store.onWrite((name, { added }) => this.#onWrite(peer, name, added))
    }
  }

  /** Lists the ranks of peers that notify of a key now. */
  tellers(key: Uint8Array, subkey?: string): number[] {
    return [...this.#net.peers.keys()].filter((rank) =>
      this.#told.get(this.#net.peer(rank))?.has(placeName(key, subkey))
    )
  }

  /** Ends a peer's stream. */
  lose(rank: number): void {
    const peer = this.#net.peer(rank)
    this.#told.delete(peer)
    this.watches.onLost(peer.id)
  }

  /** Writes to a peer, and loses its notice. */
  writeUnheard(rank: number, key: Uint8Array, write: DHTRecord): void {
    const peer = this.#net.peer(rank)
    const told = this.#told.get(peer)
    this.#told.delete(peer)
    peer.store.apply(key, write)
    this.#told.set(peer, told ?? new Map())
  }

  async watch(
    peer: PeerInfo,
    place: WatchedPlace,
    options: WatchRequestOptions
  ): Promise<WatchReply> {
    const { key, subkey } = place
    const rank = this.#net.peers.findIndex(({ id }) => id.equals(peer.id))
    this.asked.set(rank, (this.asked.get(rank) ?? 0) + 1)

    if (options.role === 'patient') {
      this.prompt.delete(rank)
    } else {
      this.prompt.add(rank)
    }

    const subkeys = subkey === undefined ? [] : [subkey]
    const reply = await this.#net.find(peer, key, { ...options, subkeys, isCloserAlways: true })
    const isFull = this.full.has(rank) && !(this.hasForwarderPlaces && options.role === 'forwarder')
    const isWatched = !(this.mute.has(rank) || isFull)

    if (isWatched) {
      const replica = this.#net.peer(rank)
      options.role === 'dependant' && this.forwarding.add(rank)
      const told = this.#told.get(replica) ?? new Map()
      this.#told.set(replica, told.set(placeName(key, subkey), place))
    }

    return {
      isWatched,
      record: reply.record,
      closer: reply.closer,
      forwarders: isFull ? this.#net.peers.slice(5) : []
    }
  }

  unwatch({ id }: PeerInfo, { key, subkey }: WatchedPlace): void {
    const peer = this.#net.peers.find((each) => each.id.equals(id))
    peer && this.#told.get(peer)?.delete(placeName(key, subkey))
    peer && this.forwarding.delete(this.#net.peers.indexOf(peer))
  }

  #onWrite(peer: SimulatedReplica, name: string, write: DHTRecord): void {
    for (const place of this.#told.get(peer)?.values() ?? []) {
      const { key, subkey } = place

      if (
        placeName(key) === name &&
        (subkey === undefined || write.plain || write.subkeys.has(subkey))
      ) {
        this.tellings.push({ rank: this.#net.peers.indexOf(peer), subkey })
        this.watches.onChange(place, subkey === undefined ? write : project(write, [subkey]))
      }
    }
  }
}
