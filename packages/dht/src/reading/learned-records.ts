import { type DHTRecord, EMPTY_RECORD, join } from '@waggle/record'
import { subsumes } from '@waggle/record/replica'
import { BoundedMap } from '../collections/bounded-map.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'

/** Stored records of which is remembered that this node has learned them. */
const MAX_LEARNED = 10_000

export interface LearnedRecordsInit {
  readonly cache: RecordStore
  readonly store: RecordStore

  /** Whether this node is a replica of a key. Otherwise its own reads see only learned records. */
  readonly isReplicaOf: (key: Uint8Array) => boolean
}

/**
 * Keeps each record that a node has learned once: a replica has it in its store, and needs no copy in its cache. The
 * cache keeps entries beyond the store's, such as a later value that this replica has missed. Nothing is forgotten
 * when nearer peers come and the node is no replica any more (N5b).
 */
export class LearnedRecords {
  readonly #init: LearnedRecordsInit

  /** The names of stored records all of which this node has learned. */
  readonly #stored = new BoundedMap<string, true>({ maxSize: MAX_LEARNED })

  constructor(init: LearnedRecordsInit) {
    this.#init = init
    init.cache.onWrite((name) => this.#dropCopy(name))
    init.store.onWrite((name, { before }) => {
      this.#keepBefore(name, before)
      this.#dropCopy(name)
    })
  }

  /** Records that this node has learned all that its store holds under the name. */
  noteStored(name: string): void {
    this.#stored.set(name, true)
  }

  /** Returns what the store holds under a name, if this node has learned all of it. */
  stored(name: string): DHTRecord {
    const stored = this.#stored.has(name) ? this.#init.store.find(name) : undefined
    return stored?.record ?? EMPTY_RECORD
  }

  /**
   * Caches a learned record before others change it: a node that is no replica has not learned their writes.
   */
  #keepBefore(name: string, before: DHTRecord): void {
    if (this.#stored.has(name) && !this.#init.isReplicaOf(keyOf(name))) {
      const { cache, store } = this.#init
      const key = keyOf(name)
      this.#stored.delete(name)
      // Joined, because a plain value alone is refused by entries that outlive it, and would no longer beat others.
      cache.apply(key, join(cache.get(key), before, store.limits))
    }
  }

  /** Drops the cached copy of a stored record. */
  #dropCopy(name: string): void {
    const { cache, store, isReplicaOf } = this.#init

    if (cache.has(name) && store.has(name)) {
      const key = keyOf(name)

      if (subsumes(store.get(key), cache.get(key), store.limits) && isReplicaOf(key)) {
        cache.remove(name)
        this.noteStored(name)
      }
    }
  }
}
