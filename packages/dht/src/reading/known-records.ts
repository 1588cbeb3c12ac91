import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, join } from '@waggle/record'
import { subsumes } from '@waggle/record/replica'
import { pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { nameOf, type RecordStore } from '../store/record-store.ts'

export interface KnownRecordsInit {
  readonly self: PeerId
  readonly routing: Routing
  readonly numReplicas: number

  /** Whether this node holds records for others: a client does not. */
  readonly isReplica: () => boolean

  /** What this node stores, for others too. */
  readonly store: RecordStore

  /** What it has learned of others by reading, writing and watching; undefined: it remembers nothing. */
  readonly cache?: RecordStore | undefined
}

/**
 * The records from which a node answers its own reads (N5a): those of keys that it is a replica of, and
 * what it has learned by reading, writing and watching. Whatever others push to it besides answers only
 * others' requests, or one message could bring back what every replica has deleted.
 */
export class KnownRecords {
  readonly #init: KnownRecordsInit
  #doubtedUntilMs = Number.NEGATIVE_INFINITY

  constructor(init: KnownRecordsInit) {
    this.#init = init
  }

  /** Whether others may know better of everything: this node slept. Its reads ask them first. */
  get isDoubted(): boolean {
    return performance.now() < this.#doubtedUntilMs
  }

  /** Doubts what this node knows for so many milliseconds from now. */
  doubt(ms: number): void {
    this.#doubtedUntilMs = performance.now() + ms
  }

  get store(): RecordStore {
    return this.#init.store
  }

  get cache(): RecordStore | undefined {
    return this.#init.cache
  }

  /** Whether this node is one of the nearest to a key, as far as it knows. */
  isReplicaOf(key: Uint8Array): boolean {
    const { isReplica, numReplicas, routing, self } = this.#init

    if (!isReplica()) {
      return false
    }

    const point = pointOfKey(key)
    const last = routing.nearest(point, numReplicas)[numReplicas - 1]
    return (
      last === undefined ||
      roughDistance(point, pointOfPeer(self)) < roughDistance(point, pointOfPeer(last.id))
    )
  }

  /** What this node holds as a replica. */
  held(key: Uint8Array): DHTRecord {
    const stored = this.#init.store.get(key)
    return isEmpty(stored) || this.isReplicaOf(key) ? stored : EMPTY_RECORD
  }

  /** What this node holds as a replica and remembers, and whether the latter adds anything. */
  get(key: Uint8Array): { readonly record: DHTRecord; readonly isByCache: boolean } {
    const { cache, store } = this.#init
    const held = this.held(key)
    const cached = cache?.get(key) ?? EMPTY_RECORD
    const record = isEmpty(cached) ? held : join(held, cached, store.limits)
    return { record, isByCache: record !== held }
  }

  /** Whether this node holds all of it as a replica, which needs no second copy. */
  isHeld(key: Uint8Array, record: DHTRecord): boolean {
    return subsumes(this.held(key), record, this.#init.store.limits)
  }

  isCached(key: Uint8Array): boolean {
    return this.#init.cache?.has(nameOf(key)) === true && !isEmpty(this.#init.cache.get(key))
  }

  /**
   * Takes in what this node has learned. What it stores under the key is brought up to date, so that
   * it tells others nothing older, either. What is not to be cached goes there if it is a replica.
   */
  learn(key: Uint8Array, record: DHTRecord, isCached: boolean): void {
    const { cache, store } = this.#init
    const isRemembered = isCached && cache !== undefined

    if (store.has(nameOf(key)) || (!isRemembered && this.isReplicaOf(key))) {
      store.apply(key, record)
    }

    if (isRemembered && !this.isHeld(key, record)) {
      cache.apply(key, record)
    }
  }
}
