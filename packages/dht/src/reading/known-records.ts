import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, join } from '@waggle/record'
import { subsumes } from '@waggle/record/replica'
import { pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { nameOf, type RecordStore } from '../store/record-store.ts'
import { NEVER_FRESH } from '../store/stored-record.ts'

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

  /** The process's clock, in ms. @default performance.now */
  readonly nowMs?: (() => number) | undefined
}

/** What a node knows of a key. */
export interface Known {
  readonly record: DHTRecord

  /** Whether it is more than this node holds as a replica. */
  readonly isByCache: boolean

  /** Time in ms of the process's clock by which the record has all that a replica held; `NEVER_FRESH` for a part. */
  readonly freshMs: number

  /**
   * Milliseconds after which a silence would be noticed of the replica that notifies a watch of changes;
   * infinite if there is none.
   */
  readonly noticeMs: number
}

/** What watches know. */
export interface WatchedRecords {
  known(name: string): WatchedRecord | undefined

  /** This node has learned of a change. */
  onChange(key: Uint8Array, record: DHTRecord): void
}

/** What a watch knows of a key. */
export interface WatchedRecord extends Omit<Known, 'isByCache'> {}

/**
 * The records from which a node answers its own reads (N5a): those of keys that it is a replica of, and
 * what it has learned by reading, writing and watching. Whatever others push to it besides answers only
 * others' requests, or one message could bring back what every replica has deleted.
 */
export class KnownRecords {
  readonly #init: KnownRecordsInit

  /** The process's clock, in ms. */
  readonly nowMs: () => number
  #watches: WatchedRecords | undefined
  #doubtedUntilMs = Number.NEGATIVE_INFINITY

  constructor(init: KnownRecordsInit) {
    this.#init = init
    this.nowMs = init.nowMs ?? (() => performance.now())
  }

  /** Joins what watches know from now on, and has them know what this node learns. */
  followWatches(watches: WatchedRecords): void {
    this.#watches = watches
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

  /** What this node holds as a replica, remembers, and watches. */
  get(key: Uint8Array): Known {
    const name = nameOf(key)
    const held = this.held(key)
    const cached = this.#init.cache?.find(name)
    const watched = this.#watches?.known(name)
    const record = this.#join(this.#join(held, cached?.record), watched?.record)
    const freshMs = isEmpty(held)
      ? Math.max(cached?.freshMs ?? NEVER_FRESH, watched?.freshMs ?? NEVER_FRESH)
      : this.nowMs()
    const noticeMs = watched?.noticeMs ?? Number.POSITIVE_INFINITY
    return { record, freshMs, noticeMs, isByCache: record !== held }
  }

  /** Adds what this node knows by now to what was found. */
  complete(key: Uint8Array, record: DHTRecord): DHTRecord {
    return this.#join(record, this.get(key).record)
  }

  /** Whether this node holds all of it as a replica, which needs no second copy. */
  isHeld(key: Uint8Array, record: DHTRecord): boolean {
    return subsumes(this.held(key), record, this.#init.store.limits)
  }

  isCached(key: Uint8Array): boolean {
    return this.#init.cache?.has(nameOf(key)) === true && !isEmpty(this.#init.cache.get(key))
  }

  /**
   * Takes in what this node has learned: all that a replica held at a time, or a part. What it stores under
   * the key is brought up to date, so that it tells others nothing older, either. What is not to be cached
   * goes there if it is a replica.
   */
  learn(
    key: Uint8Array,
    record: DHTRecord,
    { isCached, freshMs = NEVER_FRESH }: { readonly isCached: boolean; readonly freshMs?: number }
  ): void {
    const { cache, store } = this.#init
    const name = nameOf(key)
    const isRemembered = isCached && cache !== undefined

    if (store.has(name) || (!isRemembered && this.isReplicaOf(key))) {
      store.apply(key, record)
    }

    if (isRemembered && !this.isHeld(key, record)) {
      const applied = cache.apply(key, record)

      if (applied.isAccepted || applied.reason === 'stale') {
        cache.markFresh(name, freshMs)
      }
    }

    this.#watches?.onChange(key, record)
  }

  #join(a: DHTRecord, b: DHTRecord = EMPTY_RECORD): DHTRecord {
    if (isEmpty(a) || isEmpty(b)) {
      return isEmpty(b) ? a : b
    }

    return join(a, b, this.#init.store.limits)
  }
}
