import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, join, type SubkeyId } from '@waggle/record'
import { project, subsumes } from '@waggle/record/replica'
import { BoundedMap } from '../collections/bounded-map.ts'
import { pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { placeName } from '../store/place-name.ts'
import { nameOf, type RecordStore } from '../store/record-store.ts'
import { LONG_AGO, NEVER_FRESH } from '../store/stored-record.ts'

/** Subkeys of which it is remembered how old they are. */
const MAX_PARTS = 10_000

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

  /** What it has learned of single subkeys where it does not know the whole; undefined: it remembers none. */
  readonly parts?: RecordStore | undefined

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

/** How what was learned is kept. */
export interface LearnOptions {
  /** Whether it is remembered. */
  readonly isCached: boolean

  /** Time in ms of the process's clock by which it has all that a replica held. @default it is a part */
  readonly freshMs?: number
}

/** What watches know. */
export interface WatchedRecords {
  /** Returns what is known of a key or a subkey that is watched. */
  known(name: string, subkey?: SubkeyId): WatchedRecord | undefined

  /** This node has learned of a change. */
  learn(name: string, record: DHTRecord): void
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

  /** By when subkeys had what a replica held, by the names of their places. */
  readonly #partsFreshMs = new BoundedMap<string, number>({ maxSize: MAX_PARTS })
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

  /** Doubts what this node knows for so many milliseconds from now, and does not know any more how old it is. */
  doubt(ms: number): void {
    this.#doubtedUntilMs = performance.now() + ms
    this.#init.cache?.markAllOld()

    for (const name of [...this.#partsFreshMs.keys()]) {
      this.#partsFreshMs.set(name, LONG_AGO)
    }
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

  /** What this node holds as a replica, of a key or of one of its subkeys. */
  held(key: Uint8Array, subkey?: SubkeyId): DHTRecord {
    const stored = this.#init.store.get(key)
    const held = isEmpty(stored) || this.isReplicaOf(key) ? stored : EMPTY_RECORD
    return wantedOf(held, subkey)
  }

  /**
   * What this node holds as a replica, remembers and watches, of a key or of one of its subkeys. Single subkeys
   * that it remembers do not count for the key.
   */
  get(key: Uint8Array, subkey?: SubkeyId): Known {
    const name = nameOf(key)
    const whole = this.held(key)
    const held = wantedOf(whole, subkey)
    const cached = this.#init.cache?.find(name)
    const watched = this.#watches?.known(name, subkey)
    const known = this.#join(this.#join(held, cached?.record, subkey), watched?.record, subkey)
    const record =
      subkey === undefined ? known : this.#join(known, this.#init.parts?.get(key), subkey)
    const freshMs = isEmpty(whole)
      ? Math.max(
          cached?.freshMs ?? NEVER_FRESH,
          watched?.freshMs ?? NEVER_FRESH,
          subkey === undefined ? NEVER_FRESH : this.#partFreshMs(key, subkey)
        )
      : this.nowMs()
    const noticeMs = watched?.noticeMs ?? Number.POSITIVE_INFINITY
    return { record, freshMs, noticeMs, isByCache: record !== held }
  }

  /** Adds what this node knows by now to what was found. */
  complete(key: Uint8Array, record: DHTRecord, subkey?: SubkeyId): DHTRecord {
    return this.#join(record, this.all(key, subkey))
  }

  /** All that this node knows: what a reader is shown never falls behind it. */
  all(key: Uint8Array, subkey?: SubkeyId): DHTRecord {
    const { record } = this.get(key, subkey)
    return subkey === undefined ? this.#join(record, this.#init.parts?.get(key)) : record
  }

  /** Whether this node holds all of it as a replica, which needs no second copy. */
  isHeld(key: Uint8Array, record: DHTRecord): boolean {
    return subsumes(this.held(key), record, this.#init.store.limits)
  }

  /** Whether it remembers a key, or one of its subkeys. */
  isCached(key: Uint8Array, subkey?: SubkeyId): boolean {
    const { cache, parts } = this.#init
    const isWhole = cache?.has(nameOf(key)) === true && !isEmpty(cache.get(key))
    return isWhole || (subkey !== undefined && parts?.get(key).subkeys.has(subkey) === true)
  }

  /**
   * Takes in what this node has learned: all that a replica held at a time, or a part. What it stores under
   * the key is brought up to date, so that it tells others nothing older, either. What is not to be cached
   * goes there if it is a replica.
   */
  learn(
    key: Uint8Array,
    record: DHTRecord,
    { isCached, freshMs = NEVER_FRESH }: LearnOptions
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

    if (isRemembered) {
      this.#absorbParts(key, cache)
    }

    this.#watches?.learn(name, record)
  }

  /**
   * Takes in what this node has learned of single subkeys. It is kept apart, and joined in where the whole is
   * known: a projection answers for no other subkey.
   */
  learnPart(
    key: Uint8Array,
    record: DHTRecord,
    { isCached, freshMs = NEVER_FRESH }: LearnOptions
  ): void {
    const { cache, parts, store } = this.#init
    const name = nameOf(key)

    if (store.has(name)) {
      store.apply(key, record)
    }

    if (cache !== undefined && this.isCached(key)) {
      cache.apply(key, record)
    } else if ((isCached || parts?.has(name)) && !this.isHeld(key, record)) {
      parts?.apply(key, record)
    }

    for (const subkey of freshMs === NEVER_FRESH ? [] : record.subkeys.keys()) {
      const latestMs = Math.max(freshMs, this.#partFreshMs(key, subkey))
      this.#partsFreshMs.set(placeName(key, subkey), latestMs)
    }

    this.#watches?.learn(name, record)
  }

  /** Moves to the cache what is known of single subkeys, once the whole is. */
  #absorbParts(key: Uint8Array, cache: RecordStore): void {
    const { parts } = this.#init
    const name = nameOf(key)

    if (parts?.has(name) === true) {
      const part = parts.get(key)
      parts.remove(name)

      if (!isEmpty(part) && !this.isHeld(key, part)) {
        cache.apply(key, part)
      }
    }
  }

  #partFreshMs(key: Uint8Array, subkey: SubkeyId): number {
    return this.#partsFreshMs.get(placeName(key, subkey)) ?? NEVER_FRESH
  }

  /** Joins what is wanted of another record. */
  #join(a: DHTRecord, other: DHTRecord = EMPTY_RECORD, subkey?: SubkeyId): DHTRecord {
    const b = wantedOf(other, subkey)

    if (isEmpty(a) || isEmpty(b)) {
      return isEmpty(b) ? a : b
    }

    return join(a, b, this.#init.store.limits)
  }
}

/** Picks what is wanted of a record. */
function wantedOf(record: DHTRecord, subkey: SubkeyId | undefined): DHTRecord {
  return subkey === undefined || isEmpty(record) ? record : project(record, [subkey])
}
