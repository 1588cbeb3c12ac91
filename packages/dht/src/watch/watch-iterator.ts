import type { DHTRecord, DHTTime, Found, MaybePromise } from '@waggle/record'
import { whenDone } from '@waggle/record/replica'
import type { UnreachableError } from '../errors.ts'
import { isSameShown, NOTHING_SHOWN, type Shown } from './shown.ts'

/** Where a watching gets what it delivers. */
export interface Watched {
  /** The record as far as it is known; more may be known in a moment. */
  readonly record: DHTRecord

  /** Whether so much is known that the first value can be delivered. */
  readonly isSettled: boolean

  /** The entries that a reader sees at this moment. */
  shownAt(now: DHTTime): Shown
  leave(watching: WatchIterator): void
}

/** Whether the servers nearest to a watched key can be reached. */
export type WatchProgressEvent =
  | { name: 'unreachable'; error: UnreachableError }
  | { name: 'reachable' }

export interface WatchIteratorInit {
  readonly clock: () => DHTTime

  /** Returns the view of a record for a reader. */
  readonly show: (record: DHTRecord) => MaybePromise<Found | undefined>

  /** Begins to watch. */
  readonly begin: (watching: WatchIterator) => Watched

  /** Called when too few servers respond to know of all changes, and when enough do again. */
  readonly onProgress?: ((event: WatchProgressEvent) => void) | undefined

  /** Ends it, as does the lifetime of whoever runs it. */
  readonly signal: AbortSignal | undefined
  readonly lifetime: AbortSignal
}

type Result = IteratorResult<Found | undefined, undefined>

/**
 * One loop over the changes of a key. It keeps no queue: who is slow gets what is there when they ask
 * again, and what was replaced meanwhile is not seen.
 */
export class WatchIterator implements AsyncIterableIterator<Found | undefined, undefined> {
  readonly #init: WatchIteratorInit
  readonly #waiting: PromiseWithResolvers<Result>[] = []
  #watched: Watched | undefined
  #delivered: Shown = NOTHING_SHOWN
  #isEnded = false

  /** Why it has ended, until somebody hears of it. */
  #failure: AbortSignal | undefined
  readonly #onAbort = ({ target }: { target: unknown }): void => this.#fail(target as AbortSignal)

  constructor(init: WatchIteratorInit) {
    this.#init = init
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Begins to watch, the first time. Rejects with the signal's reason once that is aborted. */
  async next(): Promise<Result> {
    if (this.#isEnded) {
      return this.#afterEnd()
    }

    if (this.#watched === undefined) {
      this.#begin()
    }

    const waiting = Promise.withResolvers<Result>()
    this.#waiting.push(waiting)
    this.look()
    return waiting.promise
  }

  /** Ends the loop: what is awaited is done. */
  async return(): Promise<Result> {
    this.#end(({ resolve }) => resolve(DONE))
    return DONE
  }

  /** Tells whether the servers can be reached. */
  report(event: WatchProgressEvent): void {
    this.#init.onProgress?.(event)
  }

  /** Delivers what has changed, if somebody waits for it. */
  look(): void {
    const [first] = this.#waiting

    if (first === undefined || this.#watched?.isSettled !== true) {
      return
    }

    const now = this.#init.clock()
    const shown = this.#watched.shownAt(now)

    if (!isSameShown(shown, this.#delivered)) {
      this.#delivered = shown
      this.#waiting.shift()
      first.resolve(
        whenDone(this.#init.show(this.#watched.record), (value) => ({ value, done: false }))
      )
    }
  }

  #begin(): void {
    const { begin, signal, lifetime } = this.#init
    lifetime.throwIfAborted()
    signal?.throwIfAborted()
    lifetime.addEventListener('abort', this.#onAbort)
    signal?.addEventListener('abort', this.#onAbort)
    this.#watched = begin(this)
  }

  #fail(signal: AbortSignal): void {
    this.#failure = this.#waiting.length === 0 ? signal : undefined
    this.#end(({ reject }) => reject(signal.reason))
  }

  #afterEnd(): Result {
    const failure = this.#failure
    this.#failure = undefined
    failure?.throwIfAborted()
    return DONE
  }

  #end(settle: (waiting: PromiseWithResolvers<Result>) => void): void {
    const { signal, lifetime } = this.#init
    this.#isEnded = true
    lifetime.removeEventListener('abort', this.#onAbort)
    signal?.removeEventListener('abort', this.#onAbort)
    this.#watched?.leave(this)
    this.#watched = undefined
    this.#waiting.splice(0).forEach(settle)
  }
}

const DONE: Result = { value: undefined, done: true }
