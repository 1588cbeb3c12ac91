import type { Found, Key, MaybePromise, Subkey } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import type { CachedReadOptions } from '../reading/cached-reads.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { GetManyOptions } from './call-options.ts'
import { Failure } from './many-results.ts'
import type { ReadItem } from './read-item.ts'

export interface ManyReaderInit {
  readonly options: GetManyOptions
  readonly cancellation: CancellationToken

  /** The array that takes the results, in the order of the keys. */
  readonly results: (Found | undefined | Failure)[]
  readonly read: (key: Uint8Array, options: CachedReadOptions) => MaybePromise<Found | undefined>
}

/** Reads many keys, and reports each as it arrives. A key that can't be read fails no other. */
export class ManyReader {
  readonly #init: ManyReaderInit
  readonly #options: CachedReadOptions

  constructor(init: ManyReaderInit) {
    const { cancellation, options } = init
    const { latest, maxAge, sufficientExpirationTime } = options
    this.#init = init
    this.#options = { cancellation, latest, maxAge, sufficientExpirationTime }
  }

  read(item: ReadItem, index: number): MaybePromise<void> {
    const { bytes, id } = item
    const onFound = (found: Found | undefined): void => this.#onFound(index, item, found)
    const onFailure = (error: unknown): void => this.#onFailure(index, item, error)
    let found: MaybePromise<Found | undefined>

    try {
      const options = id === undefined ? this.#options : { ...this.#options, subkey: id }
      found = this.#init.read(bytes, options)
    } catch (error) {
      return onFailure(error)
    }

    return isPromise(found) ? found.then(onFound, onFailure) : onFound(found)
  }

  #onFound(index: number, item: ReadItem, found: Found | undefined): void {
    const { cancellation, options, results } = this.#init
    results[index] = found

    if (!cancellation.isCancelled) {
      const place = placeOf(item, index)
      options.onProgress?.(
        found ? { name: 'found', ...place, found } : { name: 'not-found', ...place }
      )
    }
  }

  #onFailure(index: number, item: ReadItem, error: unknown): void {
    const { cancellation, options, results } = this.#init
    results[index] = new Failure(error)

    if (!cancellation.isCancelled) {
      options.onProgress?.({ name: 'failed', ...placeOf(item, index), error })
    }
  }
}

function placeOf(
  { key, subkey }: ReadItem,
  index: number
): { index: number; key: Key; subkey?: Subkey } {
  return { index, key, ...(subkey !== undefined && { subkey }) }
}
