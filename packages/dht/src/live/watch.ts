import type { Change } from './change.ts'
import type { WatchProgressEvent } from './state.ts'

/** Options of `watch`. */
export interface WatchOptions<R extends boolean = boolean> {
  /** Ends the watch when it is aborted, as `stop()` does. Nothing throws. */
  readonly signal?: AbortSignal | undefined

  /**
   * Whether a later expiration of the same value is a change, too.
   *
   * @default false
   */
  readonly renewals?: R | undefined

  /**
   * Called when so few of the servers nearest to the key respond that changes may be missed, and when
   * enough of them do again.
   */
  readonly onProgress?: ((event: WatchProgressEvent) => void) | undefined
}

/**
 * The present state, and how it differs from the event before. The first event is about all that is there. Watches of
 * one key share values and changes: don't modify them.
 */
export interface WatchEvent<T, K, V, R extends boolean = false> {
  readonly current: T
  readonly changes: readonly Change<K, V, R>[]
}

/**
 * One watch of a key: a loop, a snapshot and a subscription in one. It begins when the loop begins or the first
 * listener subscribes. It ends with `stop()`, with its signal, with its DHT, or when the loop and all listeners
 * have left.
 */
export interface Watch<T, K, V, R extends boolean = false>
  extends AsyncIterableIterator<WatchEvent<T, K, V, R>, undefined, undefined>,
    AsyncDisposable {
  [Symbol.asyncIterator](): Watch<T, K, V, R>

  /**
   * The state in the last event: the same object until the next one. Undefined until the first event. It is kept
   * up to date while somebody listens; otherwise it is as of the last event that the loop was given. A
   * renewal alone is no event, so `expirationTime` may be that of an earlier renewal unless `renewals` is set.
   */
  readonly current: T | undefined

  /**
   * Calls a listener with each event from now on, and returns a function that ends this. With `current`, it is what
   * React's `useSyncExternalStore` takes. An error that a listener throws is uncaught; the others still hear the event.
   */
  readonly subscribe: (listener: (event: WatchEvent<T, K, V, R>) => void) => () => void

  /** Ends the loop as `break` does, and all subscriptions. */
  stop(): Promise<void>
}
