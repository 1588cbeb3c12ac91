import { AbortError, type PeerId, type PeerInfo } from '@libp2p/interface'
import { type DHTRecord, isEmpty, type SubkeyId } from '@waggle/record'
import { beatingEntries, project } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { BusyError } from '../../src/errors.ts'
import { Lookups } from '../../src/lookup/lookups.ts'
import type {
  FindOptions,
  FindReply,
  RecordChannel,
  SendOptions,
  StoreReply
} from '../../src/lookup/record-channel.ts'
import type { PeerBook } from '../../src/peers/peer-book.ts'
import type { Membership } from '../../src/peers/routing.ts'
import { Replicas, type ReplicasInit } from '../../src/reading/replicas.ts'
import { digestOf } from '../../src/store/record-digest.ts'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import { NEVER_FRESH } from '../../src/store/stored-record.ts'
import { UNKNOWN_AGE_MS } from '../../src/wire/limits.ts'
import { type ManualClock, manualClock } from './manual-clock.ts'
import { contacts, nearestFirst, pointOf } from './numbered-peers.ts'
import { bookOf } from './verified-peers.ts'

/** A peer of a simulated network. This node is one, too. */
export interface SimulatedReplica extends PeerInfo {
  store: RecordStore

  /** Its copies of others' records, which it returns where it holds nothing. */
  copies: RecordStore

  /** Requests that it rejects. */
  fails: Which

  /** Whether it rejects them because it is busy. */
  isBusy?: boolean

  /** Requests that it leaves unanswered. */
  hangs: Which

  /** Whether its neighbours have had the time to hand over missing records. */
  isSettled?: boolean

  /** Invents a record that beats a write, whatever it holds. */
  lies?: (write: DHTRecord) => DHTRecord | undefined

  /** Whether the other peers know that it has left, and do not name it any more. */
  hasLeft?: boolean
}

/** All requests, or those that would have the peer store something. */
type Which = 'never' | 'always' | 'to store'

export interface SimulationOptions extends Partial<ReplicasInit> {
  /** Number of peers, this node included. */
  size: number

  /** Number of peers that are nearer to the key than this node. */
  selfRank?: number

  /** Whether this node knows a peer at first, by its rank. It has to be told of the others. */
  known?: (rank: number) => boolean

  /** Milliseconds for a request. */
  requestTimeoutMs?: number

  clock?: ManualClock

  /** Whether the peers are plain kad-dht peers. */
  isPlain?: boolean
}

const NO_DIGEST = new Uint8Array(0)

/** The time at which every simulation begins, in seconds. */
export const START = 1_000

const WHOM_A_PEER_NAMES = 20

/** Peers in memory that hold records as real ones do, seen from one of them. */
export class Simulation implements RecordChannel, Membership {
  readonly clock: ManualClock
  readonly book: PeerBook
  readonly replicas: Replicas
  readonly self: SimulatedReplica

  /** All peers, nearest to the key first. */
  readonly peers: readonly SimulatedReplica[]

  /** The requests of this node, in order. */
  readonly requests: { readonly kind: 'find' | 'store'; readonly rank: number }[] = []

  /** Answers of replicas: a record, or that the asker knows it already. */
  readonly answers: ('same' | 'record')[] = []

  /** The ranks of peers that were sent a copy. */
  readonly copies: number[] = []

  /** The ids of peers that have been silent for long. */
  readonly silentForLong = new Set<string>()
  readonly #known: readonly SimulatedReplica[]
  readonly #isPlain: boolean
  readonly #isServer: () => boolean

  constructor(
    key: Uint8Array,
    {
      size,
      selfRank = size - 1,
      known = () => true,
      requestTimeoutMs = 60_000,
      clock = manualClock(START),
      isPlain = false,
      isReplica = () => true,
      ...init
    }: SimulationOptions
  ) {
    this.#isServer = isReplica
    this.clock = clock
    this.#isPlain = isPlain
    this.peers = nearestFirst(pointOf(key), contacts(size)).map((contact) => ({
      ...contact,
      store: new RecordStore({ clock: this.clock }),
      copies: new RecordStore({ clock: this.clock }),
      fails: 'never',
      hangs: 'never'
    }))
    this.book = bookOf(this.peers, { nowMs: () => 0 })
    this.self = this.peers[selfRank] as SimulatedReplica
    this.#known = this.peers.filter((peer, rank) => peer !== this.self && known(rank))
    this.replicas = new Replicas({
      self: this.self.id,
      store: this.self.store,
      channel: this,
      routing: this,
      lookups: new Lookups({
        peers: this.book,
        requestTimeoutMs,
        isReady: () => true
      }),
      numReplicas: DEFAULT_NUM_REPLICAS,
      isReplica,
      nowMs: () => this.nowMs,
      ...init
    })
  }

  /** The process clock of all peers, in ms. */
  get nowMs(): number {
    return 1000 * this.clock.time
  }

  /** Returns the peer of a rank. */
  peer(rank: number): SimulatedReplica {
    return this.peers[rank] as SimulatedReplica
  }

  /** Lists the ranks of peers asked for their records, or asked to store one. */
  ranks(kind: 'find' | 'store'): number[] {
    const asked = this.requests.filter((request) => request.kind === kind)
    return asked.map(({ rank }) => rank).sort((a, b) => a - b)
  }

  /** Lists the ranks of peers that hold something under the key. */
  holders(key: Uint8Array): number[] {
    return [...this.peers.keys()].filter((rank) => {
      const { plain, subkeys } = this.peer(rank).store.get(key)
      return plain !== undefined || subkeys.size > 0
    })
  }

  nearest(target: Uint8Array, count: number): PeerInfo[] {
    return nearestFirst(target, this.#known).slice(0, count).map(namely)
  }

  nearestPresent(target: Uint8Array, count: number): PeerInfo[] {
    return this.nearest(target, count)
  }

  isSettled(): boolean {
    return this.self.isSettled === true
  }

  isLongSilent(peer: PeerId): boolean {
    return this.silentForLong.has(peer.toString())
  }

  async find(contact: PeerInfo, key: Uint8Array, options: FindOptions): Promise<FindReply> {
    const peer = await this.#reached('find', contact, options)
    const record = wantedOf(peer.store.get(key), options.subkeys)
    const { digest = NO_DIGEST } = options
    const known = { closer: this.#near(key), isPlain: this.#isPlain }

    if (record === undefined || !this.#isReplica(contact)) {
      return { ...known, ...this.#otherwise(peer, key, options) }
    }

    const isSame = !this.#isPlain && digest.length > 0 && equals(digestOf(record), digest)
    this.#isPlain || this.answers.push(isSame ? 'same' : 'record')
    return isSame ? { ...known, isSame } : { ...known, record }
  }

  /** Makes the reply of a peer that is no replica, or holds nothing. */
  #otherwise(
    { id, store, copies, isSettled = false }: SimulatedReplica,
    key: Uint8Array,
    { maxAge = 0, subkeys }: FindOptions
  ): Pick<FindReply, 'ageMs' | 'isAbsent' | 'record'> {
    const copy = copies.find(nameOf(key))
    const ageMs = this.nowMs - (copy?.freshMs ?? NEVER_FRESH)

    if (ageMs <= 1000 * maxAge) {
      return { record: copy && wantedOf(copy.record, subkeys), ageMs }
    }

    const record = wantedOf(store.get(key), subkeys)
    const isAbsent = isSettled && !this.#isPlain && this.#isReplica({ id })
    return record === undefined ? { isAbsent } : { record, ageMs: UNKNOWN_AGE_MS }
  }

  /** Whether a peer considers itself a replica. Plain kad-dht peers make no difference. */
  #isReplica({ id }: Pick<PeerInfo, 'id'>): boolean {
    const servers = this.peers.filter((peer) => this.#isServer() || peer !== this.self)
    const nearest = servers.slice(0, DEFAULT_NUM_REPLICAS)
    return this.#isPlain || nearest.some((peer) => peer.id.equals(id))
  }

  async store(
    contact: PeerInfo,
    key: Uint8Array,
    write: DHTRecord,
    options: SendOptions
  ): Promise<StoreReply> {
    if (options.isCacheOnly) {
      this.copies.push(this.peers.findIndex((peer) => peer.id.equals(contact.id)))
      return { outcome: 'accepted', closer: [] }
    }

    const { store, lies } = await this.#reached('store', contact, options)
    const applied = store.apply(key, write)
    const closer = this.#near(key)

    if (lies !== undefined) {
      return { outcome: 'stale', winner: lies(write), closer }
    }

    return applied.isAccepted
      ? { outcome: 'accepted', closer }
      : { outcome: applied.reason, winner: beatingEntries(applied.record, write), closer }
  }

  #near(key: Uint8Array): PeerInfo[] {
    const others = this.peers.filter((other) => other !== this.self && other.hasLeft !== true)
    return nearestFirst(pointOf(key), others).slice(0, WHOM_A_PEER_NAMES).map(namely)
  }

  async #reached(
    kind: 'find' | 'store',
    { id }: PeerInfo,
    { cancellation }: SendOptions
  ): Promise<SimulatedReplica> {
    if (cancellation?.isCancelled === true) {
      throw new AbortError('nobody wants the answer any more')
    }

    const rank = this.peers.findIndex((peer) => peer.id.equals(id))
    const peer = this.peer(rank)
    this.requests.push({ kind, rank })

    if (applies(peer.hangs, kind)) {
      await new Promise<never>(() => {})
    }

    if (applies(peer.fails, kind)) {
      throw peer.isBusy ? new BusyError('too much to do') : new Error('the connection was lost')
    }

    return peer
  }
}

/** Returns the requested part of a record; undefined if it is empty. */
function wantedOf(record: DHTRecord, subkeys: readonly SubkeyId[] = []): DHTRecord | undefined {
  const wanted = subkeys.length === 0 ? record : project(record, subkeys)
  return isEmpty(record) ? undefined : wanted
}

function applies(which: Which, kind: 'find' | 'store'): boolean {
  return which === 'always' || (which === 'to store' && kind === 'store')
}

/** Returns the fields of a peer that a message carries. */
function namely({ id, multiaddrs }: PeerInfo): PeerInfo {
  return { id, multiaddrs }
}
