import { partsOf } from '../kad/node-parts.ts'
import { cachePolicy } from '../reading/cache-policy.ts'
import { RecordStore } from '../store/record-store.ts'
import type { PartsInit } from './service-init.ts'

/** The records of a node besides those that it stores for others. */
export interface Caches {
  /** Records that it has read itself. */
  readonly cache: RecordStore | undefined

  /** Copies that other peers have left here. */
  readonly copies: RecordStore | undefined
}

/** Size of the copies' store, as a share of the cache's limits, in addition to these. */
const COPIES_SHARE = 1 / 4

/** Creates the caches: stores under the same rules, whose records do not count as stored for other peers. */
export function createCaches({
  cache: options,
  components,
  limits: { maxCachedBytes }
}: PartsInit): Caches {
  if (options === false) {
    return { cache: undefined, copies: undefined }
  }

  const { limits, clock, network } = partsOf(components).store
  const { size } = cachePolicy(options)
  const storeOf = (share: number): RecordStore =>
    new RecordStore({
      ...{ limits, clock, network },
      maxRecords: Math.ceil(share * size),
      maxBytes: Math.ceil(share * maxCachedBytes)
    })
  return { cache: storeOf(1), copies: storeOf(COPIES_SHARE) }
}
