import type { Found, Limits, MaybePromise } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import { MANY_UNDER_WAY } from '../constants.ts'
import type { CachedReadOptions } from '../reading/cached-reads.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { mapMany } from '../timing/many.ts'
import type { GetManyOptions, GetProgressEvent, KeyOrPlace } from './call-options.ts'
import { countOf, inEntry, mapLazily } from './entries.ts'
import { answersOf, Failure, settled } from './many-results.ts'
import { type ReadItem, readItem } from './read-item.ts'

export interface ManyReaderInit {
  readonly keys: Iterable<KeyOrPlace>
  readonly options: GetManyOptions
  readonly limits: Limits
  readonly read: (key: Uint8Array, options: CachedReadOptions) => MaybePromise<Found | undefined>
}

/** Reads many keys, and reports each as it arrives. A key that can't be read fails no other. */
export class ManyReader {
  readonly #init: ManyReaderInit

  /** In the order of the keys. */
  readonly #results: (Found | undefined | Failure)[] = []
  readonly #toItem: (given: KeyOrPlace, index: number) => ReadItem

  /** @throws TypeError or InvalidKeyError for a wrong key of an array. Other iterables can be read only once. */
  constructor(init: ManyReaderInit) {
    const { keys, limits } = init
    this.#init = init
    this.#toItem = (given, index) => inEntry(index, () => readItem(given, limits))

    if (Array.isArray(keys)) {
      keys.forEach(this.#toItem)
    }
  }

  /** Returns the results available at a timeout. */
  resultsSoFar(reason: Error): PromiseSettledResult<Found | undefined>[] {
    return settled(this.#results, { count: countOf(this.#init.keys, this.#results), reason })
  }

  /** Reads all. */
  async run(cancellation: CancellationToken): Promise<readonly unknown[]> {
    const { keys, options } = this.#init
    const { latest, maxAge, sufficientExpirationTime } = options
    const forAll = { cancellation, latest, maxAge, sufficientExpirationTime }
    // The caller gets the promise before the first progress event, even for cached records.
    await Promise.resolve()
    const items = mapLazily(keys, this.#toItem)
    await mapMany(items, (item, index) => this.#read(item, index, forAll), {
      cancellation,
      maxItems: MANY_UNDER_WAY
    })
    return this.#results
  }

  /** Returns the answers to the caller. @throws NotReadError if some keys could not be read */
  answers(): (Found | undefined)[] {
    return answersOf(this.#results)
  }

  #read(item: ReadItem, index: number, forAll: CachedReadOptions): MaybePromise<void> {
    const { bytes, id } = item
    const take = (result: Found | undefined | Failure): void =>
      this.#take(item, index, result, forAll.cancellation)
    const onFailure = (error: unknown): void => take(new Failure(error))
    let found: MaybePromise<Found | undefined>

    try {
      found = this.#init.read(bytes, id === undefined ? forAll : { ...forAll, subkey: id })
    } catch (error) {
      return onFailure(error)
    }

    return isPromise(found) ? found.then(take, onFailure) : take(found)
  }

  #take(
    item: ReadItem,
    index: number,
    result: Found | undefined | Failure,
    cancellation: CancellationToken
  ): void {
    this.#results[index] = result

    if (!cancellation.isCancelled) {
      this.#init.options.onProgress?.(eventOf(item, index, result))
    }
  }
}

function eventOf(
  { key, subkey }: ReadItem,
  index: number,
  result: Found | undefined | Failure
): GetProgressEvent {
  const place = { index, key, ...(subkey !== undefined && { subkey }) }

  if (result instanceof Failure) {
    return { name: 'failed', ...place, error: result.reason }
  }

  return result === undefined
    ? { name: 'not-found', ...place }
    : { name: 'found', ...place, found: result }
}
