import { subsumes } from '@waggle/record/replica'
import { keyOf, type RecordStore } from './record-store.ts'

/**
 * Has a cache drop what the store holds, from now on: a replica needs no second copy. The cache
 * keeps what it knows beyond the store, such as a later value that this replica has missed.
 */
export function dropDuplicates(cache: RecordStore, store: RecordStore): void {
  const drop = (name: string): void => {
    if (cache.has(name) && store.has(name)) {
      const key = keyOf(name)

      if (subsumes(store.get(key), cache.get(key), store.limits)) {
        cache.remove(name)
      }
    }
  }

  store.onWrite(drop)
  cache.onWrite(drop)
}
