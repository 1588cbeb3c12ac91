import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, join, type SubkeyId } from '@waggle/record'
import { project, showsDictionary, subsumes } from '@waggle/record/replica'
import { BoundedMap } from '../collections/bounded-map.ts'
import { pointOfKey, pointOfPeer, roughDistance } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { placeName } from '../store/place-name.ts'
import { nameOf, type RecordStore } from '../store/record-store.ts'
import { NEVER_FRESH, type StoredRecord } from '../store/stored-record.ts'
import { LearnedRecords } from './learned-records.ts'

export interface KnownRecordsInit {
  readonly self: PeerId
  readonly routing: Routing
  readonly numReplicas: number

  /** Whether this node holds records for others: a client does not. */
  readonly isReplica: () => boolean

  /** The records that this node stores, for others too. */
  readonly store: RecordStore

  /** The records that it has learned by reading, writing and watching; undefined: it remembers none. */
  readonly cache?: RecordStore | undefined

  /** The process's clock, in ms. @default performance.now */
  readonly nowMs?: (() => number) | undefined
}

/** Single subkeys of which is remembered how fresh they are. */
const MAX_FRESH_SUBKEYS = 10_000

/** The record of a key, or of one of its subkeys, as far as this node knows it. */
export interface KnownRecord {
  readonly record: DHTRecord

  /** Whether it is more than this node holds as a replica. */
  readonly isByCache: boolean

  /** Whether this node holds any of the key as a replica. */
  readonly isHeld: boolean

  /** Time in ms of the process's clock by which the record has all that a replica held; `NEVER_FRESH` for a part. */
  readonly freshMs: number

  /**
   * Milliseconds after which a silence would be noticed of the replica that notifies a watch of changes;
   * infinite if there is none.
   */
  readonly noticeMs: number
}

/** The knowledge of watches. */
export interface WatchedRecords {
  /** Returns their record of a key, or of one of its subkeys. */
  known(key: string, subkey: SubkeyId | undefined): WatchedRecord | undefined

  /** This node has learned of a change of a key. */
  onLearned(key: string, record: DHTRecord): void
}

/** The knowledge of a watch about a key. */
export interface WatchedRecord extends Omit<KnownRecord, 'isByCache' | 'isHeld'> {}

/** The freshness of a subkey, in ms of the process's clock, valid while the cache holds its key since then. */
interface FreshSubkey {
  readonly freshMs: number
  readonly sinceMs: number
}

/** The way in which something is learned of a key. */
export interface LearnOptions {
  readonly isCached: boolean

  /** By when it is all that a replica held. @default it may be a part of that */
  readonly freshMs?: number

  /** The only subkey of which it is all that was held. @default of the whole key */
  readonly subkey?: SubkeyId | undefined

  /**
   * Whether a replica accepted it as this node's write. A plain entry is then all that the replica shows, but not all
   * that it holds: tombstones of subkeys may expire later. @default false
   */
  readonly isWritten?: boolean
}

/**
 * The records from which a node answers its own reads (N5a): those of keys that it is a replica of, and those that
 * it has learned by reading, writing and watching. Records that other peers push to it answer only others' requests:
 * otherwise one message could bring back a record that every replica has deleted.
 */
export class KnownRecords {
  readonly #init: KnownRecordsInit

  /** The process's clock, in ms. */
  readonly nowMs: () => number
  readonly #freshSubkeys = new BoundedMap<string, FreshSubkey>({ maxSize: MAX_FRESH_SUBKEYS })
  readonly #learned: LearnedRecords | undefined
  #watches: WatchedRecords | undefined
  #doubtedUntilMs = Number.NEGATIVE_INFINITY

  constructor(init: KnownRecordsInit) {
    this.#init = init
    this.nowMs = init.nowMs ?? (() => performance.now())
    const { cache, store } = init
    const isReplicaOf = (key: Uint8Array): boolean => this.isReplicaOf(key)
    this.#learned = cache && new LearnedRecords({ cache, store, isReplicaOf })
  }

  /**
   * Joins the records of watches from now on, and gives watches the records that this node learns.
   */
  followWatches(watches: WatchedRecords): void {
    this.#watches = watches
  }

  /** Whether others may know better of everything: this node slept. Its reads ask them first. */
  get isDoubted(): boolean {
    return performance.now() < this.#doubtedUntilMs
  }

  /** Doubts all known records for some milliseconds. */
  doubt(ms: number): void {
    this.#doubtedUntilMs = performance.now() + ms
    this.#freshSubkeys.clear()
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

  /** Returns this node's record of a key, or of one of its subkeys, as a replica. */
  held(key: Uint8Array, subkey?: SubkeyId): DHTRecord {
    const stored = this.#init.store.get(key)
    return wantedOf(isEmpty(stored) || this.isReplicaOf(key) ? stored : EMPTY_RECORD, subkey)
  }

  /**
   * Returns all that this node holds as a replica, remembers, and watches of a key, or of one of its subkeys.
   */
  get(key: Uint8Array, subkey?: SubkeyId): KnownRecord {
    const name = nameOf(key)
    const whole = this.held(key)
    const isHeld = !isEmpty(whole)
    const cached = this.#init.cache?.find(name)
    const watched = this.#watches?.known(name, subkey)
    const stored = isHeld ? whole : (this.#learned?.stored(name) ?? EMPTY_RECORD)

    if (isEmpty(stored) && cached === undefined && watched === undefined) {
      return NOTHING_KNOWN
    }

    const held = wantedOf(whole, subkey)
    const learned = isHeld ? held : wantedOf(stored, subkey)
    const remembered = this.#join(learned, wantedOf(cached?.record, subkey))
    const record = this.#join(remembered, wantedOf(watched?.record, subkey))
    const freshMs = isHeld
      ? this.nowMs()
      : Math.max(
          this.#freshMsOf(cached, { name, key, subkey }),
          plainFreshMsOf(cached, record),
          watched?.freshMs ?? NEVER_FRESH
        )
    const noticeMs = watched?.noticeMs ?? Number.POSITIVE_INFINITY
    return { record, freshMs, noticeMs, isByCache: record !== held, isHeld }
  }

  /**
   * Returns the same for a reader, who must get nothing older later, whether this node is a replica or not (N5b).
   */
  show(key: Uint8Array, subkey?: SubkeyId): KnownRecord {
    const known = this.get(key, subkey)

    if (known.isHeld) {
      this.#learned?.noteStored(nameOf(key))
    }

    return known
  }

  /** Adds the record that this node knows by now to a result, for a reader. */
  complete(key: Uint8Array, record: DHTRecord, subkey?: SubkeyId): DHTRecord {
    return this.#join(record, this.show(key, subkey).record)
  }

  /** Whether this node holds all of it as a replica, which needs no second copy. */
  isHeld(key: Uint8Array, record: DHTRecord): boolean {
    const held = this.held(key)
    return isEmpty(held) ? isEmpty(record) : subsumes(held, record, this.#init.store.limits)
  }

  /** Whether the cache has all that a replica held once, of a key or of one of its subkeys. */
  isCachedWhole(key: Uint8Array, subkey?: SubkeyId): boolean {
    const name = nameOf(key)
    const cached = this.#init.cache?.find(name)
    return this.#freshMsOf(cached, { name, key, subkey }) > NEVER_FRESH
  }

  /** Whether the cache has all that a replica held once, or the plain entry that was all that it showed. */
  isCached(key: Uint8Array, subkey?: SubkeyId): boolean {
    const { plainFreshMs = NEVER_FRESH } = this.#init.cache?.find(nameOf(key)) ?? {}
    return plainFreshMs > NEVER_FRESH || this.isCachedWhole(key, subkey)
  }

  /** Whether the cache has anything of a key. */
  isRemembered(key: Uint8Array): boolean {
    return this.#init.cache?.find(nameOf(key)) !== undefined
  }

  /**
   * Takes in a record that this node has learned: all that a replica held at a time, or a part of it. Updates the
   * record that this node stores under the key, so that others get nothing older, either. A record that is not to be
   * cached goes into the store of a replica.
   */
  learn(
    key: Uint8Array,
    record: DHTRecord,
    { isCached, freshMs = NEVER_FRESH, subkey, isWritten = false }: LearnOptions
  ): void {
    const { cache, store } = this.#init
    const name = nameOf(key)
    const isRemembered = isCached && cache !== undefined

    // One subkey alone is no record that a replica could begin with.
    if (store.has(name) || (!isRemembered && subkey === undefined && this.isReplicaOf(key))) {
      store.apply(key, record)
    }

    if (isRemembered && !this.isHeld(key, record)) {
      // A plain value alone would be refused by entries that outlive it, and would no longer beat others.
      const learned = record.plain === undefined ? record : this.#join(cache.get(key), record)
      const applied = cache.apply(key, learned)

      if (applied.isAccepted || applied.reason === 'stale') {
        this.#markFresh({ name, place: placeName(key, subkey), isWritten }, freshMs, cache)
      }
    } else if (isRemembered) {
      this.#learned?.noteStored(name)
    }

    this.#watches?.onLearned(name, record)
  }

  /**
   * Notes the freshness of one subkey. It counts for no other, and only while the cache keeps the record.
   */
  #markFresh(
    { name, place, isWritten }: { name: string; place: string; isWritten: boolean },
    freshMs: number,
    cache: RecordStore
  ): void {
    if (name === place) {
      isWritten ? cache.markPlainFresh(name, freshMs) : cache.markFresh(name, freshMs)
      return
    }

    const sinceMs = cache.heldSinceMs(name)
    const known = this.#freshSubkeys.get(place)
    const before = known?.sinceMs === sinceMs ? known.freshMs : NEVER_FRESH
    this.#freshSubkeys.set(place, { freshMs: Math.max(freshMs, before), sinceMs })
  }

  /** Returns since when a cached record, or one of its subkeys, has been fresh. */
  #freshMsOf(
    { freshMs = NEVER_FRESH }: { readonly freshMs?: number } = {},
    { name, key, subkey }: { name: string; key: Uint8Array; subkey: SubkeyId | undefined }
  ): number {
    if (subkey === undefined || this.#freshSubkeys.size === 0) {
      return freshMs
    }

    const known = this.#freshSubkeys.get(placeName(key, subkey))
    const isKept = known !== undefined && known.sinceMs === this.#init.cache?.heldSinceMs(name)
    return isKept ? Math.max(known.freshMs, freshMs) : freshMs
  }

  #join(a: DHTRecord, b: DHTRecord = EMPTY_RECORD): DHTRecord {
    if (isEmpty(a) || isEmpty(b)) {
      return isEmpty(b) ? a : b
    }

    return join(a, b, this.#init.store.limits)
  }
}

/** What is known of most keys. */
const NOTHING_KNOWN: KnownRecord = {
  record: EMPTY_RECORD,
  isByCache: false,
  isHeld: false,
  freshMs: NEVER_FRESH,
  noticeMs: Number.POSITIVE_INFINITY
}

/** Picks the wanted part of a record. */
function wantedOf(record: DHTRecord = EMPTY_RECORD, subkey: SubkeyId | undefined): DHTRecord {
  return subkey === undefined || isEmpty(record) ? record : project(record, [subkey])
}

/**
 * Returns since when a cached plain entry has been all that a replica showed: not as long as this node knows a
 * dictionary, which that replica had deleted.
 */
function plainFreshMsOf(
  cached: Pick<StoredRecord, 'plainFreshMs'> | undefined,
  known: DHTRecord
): number {
  return cached === undefined || showsDictionary(known) ? NEVER_FRESH : cached.plainFreshMs
}
