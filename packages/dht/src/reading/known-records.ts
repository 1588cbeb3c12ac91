import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, join, type SubkeyId } from '@waggle/record'
import { project, subsumes } from '@waggle/record/replica'
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

  /** What it has learned of single subkeys where it does not know the whole; undefined: it remembers none. */
  readonly parts?: RecordStore | undefined
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

  /** What this node holds as a replica, of a key or of one of its subkeys. */
  held(key: Uint8Array, subkey?: SubkeyId): DHTRecord {
    const stored = this.#init.store.get(key)
    const held = isEmpty(stored) || this.isReplicaOf(key) ? stored : EMPTY_RECORD
    return wantedOf(held, subkey)
  }

  /**
   * What this node holds as a replica and remembers, of a key or of one of its subkeys, and whether the latter
   * adds anything. Single subkeys that it remembers do not count for the key.
   */
  get(
    key: Uint8Array,
    subkey?: SubkeyId
  ): { readonly record: DHTRecord; readonly isByCache: boolean } {
    const { cache, parts } = this.#init
    const held = this.held(key, subkey)
    const cached = this.#join(held, cache, key, subkey)
    const record = subkey === undefined ? cached : this.#join(cached, parts, key, subkey)
    return { record, isByCache: record !== held }
  }

  /** All that this node knows: what a reader is shown never falls behind it. */
  all(key: Uint8Array, subkey?: SubkeyId): DHTRecord {
    const { record } = this.get(key, subkey)
    return subkey === undefined ? this.#join(record, this.#init.parts, key) : record
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

    if (isRemembered) {
      this.#absorbParts(key, cache)
    }
  }

  /**
   * Takes in what this node has learned of single subkeys. It is kept apart, and joined in where the whole is
   * known: a projection answers for no other subkey.
   */
  learnPart(key: Uint8Array, record: DHTRecord, isCached: boolean): void {
    const { cache, parts, store } = this.#init
    const name = nameOf(key)

    if (store.has(name)) {
      store.apply(key, record)
    }

    if (this.isHeld(key, record)) {
      return
    }

    if (cache !== undefined && this.isCached(key)) {
      cache.apply(key, record)
    } else if (isCached || parts?.has(name)) {
      parts?.apply(key, record)
    }
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

  /** Joins what a cache remembers of what is wanted. */
  #join(
    to: DHTRecord,
    cache: RecordStore | undefined,
    key: Uint8Array,
    subkey?: SubkeyId
  ): DHTRecord {
    const cached = wantedOf(cache?.get(key) ?? EMPTY_RECORD, subkey)
    return isEmpty(cached) ? to : join(to, cached, this.#init.store.limits)
  }
}

/** Picks what is wanted of a record. */
function wantedOf(record: DHTRecord, subkey: SubkeyId | undefined): DHTRecord {
  return subkey === undefined || isEmpty(record) ? record : project(record, [subkey])
}
