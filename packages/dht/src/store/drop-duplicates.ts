import { subsumes } from '@waggle/record/replica'
import { keyOf, type RecordStore } from './record-store.ts'

/** The stores that should not contain the same records. */
export interface DuplicatesInit {
  readonly cache: RecordStore
  readonly store: RecordStore

  /** Whether this node is a replica of a key: otherwise its own reads see only the cache. */
  readonly isReplicaOf: (key: Uint8Array) => boolean
}

/**
 * Makes a cache drop the records that the store holds, from now on: a replica needs no second copy. The cache keeps
 * entries beyond the store's, such as a later value that this replica has missed.
 */
export function dropDuplicates({ cache, store, isReplicaOf }: DuplicatesInit): void {
  const drop = (name: string): void => {
    if (cache.has(name) && store.has(name)) {
      const key = keyOf(name)

      if (subsumes(store.get(key), cache.get(key), store.limits) && isReplicaOf(key)) {
        cache.remove(name)
      }
    }
  }

  store.onWrite(drop)
  cache.onWrite(drop)
}
