import type { Found, Key, MaybePromise } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import type { CachedReadOptions } from '../reading/cached-reads.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { GetManyOptions } from './call-options.ts'
import { Failure } from './many-results.ts'

export interface ManyReaderInit {
  readonly options: GetManyOptions
  readonly cancellation: CancellationToken

  /** Where results go, in the order of the keys. */
  readonly results: (Found | undefined | Failure)[]
  readonly read: (key: Uint8Array, options: CachedReadOptions) => MaybePromise<Found | undefined>
}

/** Reads many keys, and tells of each as it arrives. One that can't be read fails no other. */
export class ManyReader {
  readonly #init: ManyReaderInit
  readonly #options: CachedReadOptions

  constructor(init: ManyReaderInit) {
    const { cancellation, options } = init
    const { latest, maxAge, sufficientExpirationTime } = options
    this.#init = init
    this.#options = { cancellation, latest, maxAge, sufficientExpirationTime }
  }

  read({ key, bytes }: { key: Key; bytes: Uint8Array }, index: number): MaybePromise<void> {
    const onFound = (found: Found | undefined): void => this.#onFound(index, key, found)
    const onFailure = (error: unknown): void => this.#onFailure(index, key, error)
    let found: MaybePromise<Found | undefined>

    try {
      found = this.#init.read(bytes, this.#options)
    } catch (error) {
      return onFailure(error)
    }

    return isPromise(found) ? found.then(onFound, onFailure) : onFound(found)
  }

  #onFound(index: number, key: Key, found: Found | undefined): void {
    const { cancellation, options, results } = this.#init
    results[index] = found

    if (!cancellation.isCancelled) {
      options.onProgress?.(
        found ? { name: 'found', index, key, found } : { name: 'not-found', index, key }
      )
    }
  }

  #onFailure(index: number, key: Key, error: unknown): void {
    const { cancellation, options, results } = this.#init
    results[index] = new Failure(error)

    if (!cancellation.isCancelled) {
      options.onProgress?.({ name: 'failed', index, key, error })
    }
  }
}
