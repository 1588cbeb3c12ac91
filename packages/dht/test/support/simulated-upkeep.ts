import type { PeerId, PeerInfo } from '@libp2p/interface'
import { type DHTRecord, isEmpty, plainRecord, recordKey } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { type Point, pointOfKey, pointOfPeer } from '../../src/peers/key-space.ts'
import type { Member } from '../../src/peers/known-peers.ts'
import { PeerIndex } from '../../src/peers/peer-index.ts'
import { NEIGHBOURHOOD } from '../../src/peers/table-rules.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { fingerprintOf } from '../../src/upkeep/fingerprint.ts'
import { Upkeep } from '../../src/upkeep/upkeep.ts'
import { contactOf, peerNumber } from './numbered-peers.ts'
import { silentLog } from './silent-log.ts'

/** A peer that holds records and hands them over. */
export interface KeepingPeer {
  readonly contact: PeerInfo
  readonly store: RecordStore
  readonly upkeep: Upkeep
  isAlive: boolean

  /** Time at which the others learnt of it, in ms. */
  sinceMs: number
}

/** Makes the key of a number. */
export function keyNumber(n: number): Uint8Array {
  return recordKey(`record ${n}`)
}

/** Peers that a peer knows: the nearest established ones and the nearest newcomers. */
const WHOM_A_PEER_KNOWS = 2 * NEIGHBOURHOOD

/** A network of peers that know their surroundings, and the records that they send each other. */
export class KeptNetwork {
  #index = new PeerIndex()
  readonly peers: KeepingPeer[] = []
  readonly #byName = new Map<string, KeepingPeer>()
  /** Times at which peers met, where that is later than the newcomer's start; infinity: not yet. */
  readonly #metMs = new Map<KeepingPeer, Map<KeepingPeer, number>>()
  movedBytes = 0
  movedRecords = 0

  /** Adds some peers, which the others know from now on. */
  join(count: number): KeepingPeer[] {
    return Array.from({ length: count }, () => {
      const peer = this.#peer(peerNumber(this.peers.length))
      this.peers.push(peer)
      return peer
    })
  }

  /** Restarts a peer without its memory, before the others have noticed. */
  restart(place: number): void {
    this.peers[place] = this.#peer(peerNumber(place))
  }

  /** Hides a peer from another one until they are introduced. */
  estrange(one: KeepingPeer, other: KeepingPeer): void {
    this.#met(one, other, Number.POSITIVE_INFINITY)
  }

  /** Introduces a peer to another one. */
  introduce(one: KeepingPeer, other: KeepingPeer): void {
    this.#met(one, other, performance.now())
  }

  alive(): KeepingPeer[] {
    return this.peers.filter(({ isAlive }) => isAlive)
  }

  /** Stores records as clients do, at the nearest peers. */
  fill(records: number, valueBytes: number, expirationTime: number): void {
    const owners = this.ownership(records)
    const record = plainRecord(new Uint8Array(valueBytes), expirationTime)

    for (const [n, nearest] of owners.entries()) {
      for (const { store } of nearest) {
        store.apply(keyNumber(n), record)
      }
    }
  }

  /** Lists the peers that should hold each record now. */
  ownership(records: number): KeepingPeer[][] {
    const index = this.#aliveIndex()
    return Array.from({ length: records }, (_, n) =>
      this.#nearest(index, pointOfKey(keyNumber(n)), DEFAULT_NUM_REPLICAS)
    )
  }

  /** Runs a pass of some peers, all at the same time. */
  async keep(peers: readonly KeepingPeer[] = this.alive()): Promise<void> {
    this.#index = this.#aliveIndex()
    await Promise.all(peers.map(({ upkeep }) => upkeep.run()))
  }

  /** Compares the replicas of all peers with newcomers. */
  async audit(): Promise<void> {
    this.#index = this.#aliveIndex()
    await Promise.all(this.alive().map(({ upkeep }) => upkeep.compareReplicas()))
  }

  #met(one: KeepingPeer, other: KeepingPeer, sinceMs: number): void {
    const met = this.#metMs.get(one) ?? new Map<KeepingPeer, number>()
    this.#metMs.set(one, met.set(other, sinceMs))
  }

  #peer(id: PeerId): KeepingPeer {
    const contact = contactOf(id)
    const store = new RecordStore()
    const peer: KeepingPeer = {
      ...{ contact, store, isAlive: true, sinceMs: performance.now() },
      upkeep: new Upkeep({
        ...{ self: contact, store, numReplicas: DEFAULT_NUM_REPLICAS, log: silentLog },
        isReplica: () => true,
        isNear: () => true,
        members: () => this.#surroundings(peer),
        findNeighbours: async () => {},
        reconcile: async () => {},
        fingerprints: async ({ id: asked }, keys) =>
          keys.map((key) => fingerprintOf(this.#reached(asked).get(key))),
        send: async ({ id: to }, key, record) => {
          const applied = this.#reached(to).apply(key, this.#moved(record))
          return applied.isAccepted ? 'accepted' : applied.reason
        },
        holds: async ({ id: asked }, key) => !isEmpty(this.#reached(asked).get(key))
      })
    }
    this.#byName.set(id.toString(), peer)
    return peer
  }

  #surroundings(self: KeepingPeer): Member[] {
    const point = pointOfPeer(self.contact.id)
    const met = this.#metMs.get(self)
    return this.#nearest(this.#index, point, WHOM_A_PEER_KNOWS)
      .filter((peer) => peer !== self)
      .map((peer) => ({ contact: peer.contact, sinceMs: met?.get(peer) ?? peer.sinceMs }))
      .filter(({ sinceMs }) => sinceMs < Number.POSITIVE_INFINITY)
  }

  #nearest(index: PeerIndex, point: Point, count: number): KeepingPeer[] {
    return index.nearest(point, count).flatMap(({ id }) => this.#byName.get(id.toString()) ?? [])
  }

  #aliveIndex(): PeerIndex {
    const index = new PeerIndex()

    for (const { contact } of this.alive()) {
      index.set(contact)
    }

    return index
  }

  #reached(id: PeerId): RecordStore {
    const peer = this.#byName.get(id.toString())

    if (peer?.isAlive !== true) {
      throw new Error(`${id} is dead`)
    }

    return peer.store
  }

  #moved(record: DHTRecord): DHTRecord {
    this.movedRecords++
    this.movedBytes += encodedSize(record)
    return record
  }
}
