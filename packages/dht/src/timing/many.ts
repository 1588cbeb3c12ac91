import type { MaybePromise } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import type { CancellationToken } from './cancellation.ts'
import { atEndOfTurn } from './end-of-turn.ts'

/** Limits for the items of one large call. */
export interface ManyOptions<T> {
  /** Items in flight. */
  readonly maxItems: number

  /** Stops drawing items when the caller no longer waits for the results. */
  readonly cancellation?: CancellationToken | undefined

  /** Bytes of the items in flight. A single one may be larger. @default any number */
  readonly maxBytes?: number
  readonly bytesOf?: (item: T) => number
}

/**
 * Applies a function, which may return a promise, to all items and keeps their order. It draws items
 * within the limits, so that a long iterable takes no more memory than the items in flight and the
 * results. When it ends early, it ends the iterable as a loop would.
 */
export function mapMany<T, U>(
  items: Iterable<T>,
  apply: (item: T, index: number) => MaybePromise<U>,
  options: ManyOptions<T>
): Promise<U[]> {
  return new Promise((resolve, reject) => {
    new Mapping({ items, apply, options, resolve, reject }).draw()
  })
}

interface MappingInit<T, U> {
  readonly items: Iterable<T>
  readonly apply: (item: T, index: number) => MaybePromise<U>
  readonly options: ManyOptions<T>
  readonly resolve: (results: U[]) => void
  readonly reject: (error: unknown) => void
}

class Mapping<T, U> {
  readonly #init: MappingInit<T, U>
  readonly #iterator: Iterator<T>
  readonly #results: U[] = []
  #drawn = 0
  #inFlight = 0
  #bytesInFlight = 0
  #isDrawing = true

  constructor(init: MappingInit<T, U>) {
    this.#init = init
    this.#iterator = init.items[Symbol.iterator]()
  }

  /** Draws items within the limits. */
  draw(): void {
    try {
      for (let atOnce = 1; this.#hasRoom(); atOnce++) {
        if (atOnce > this.#init.options.maxItems) {
          // Synchronous results would block the event loop.
          atEndOfTurn(() => this.draw())
          return
        }

        const next = this.#iterator.next()

        if (next.done === true) {
          this.#isDrawing = false
          break
        }

        this.#begin(next.value, this.#drawn++)
      }
    } catch (error) {
      this.#fail(error)
      return
    }

    if (!this.#isDrawing && this.#inFlight === 0) {
      this.#init.resolve(this.#results)
    }
  }

  #hasRoom(): boolean {
    const { cancellation, maxItems, maxBytes = Number.POSITIVE_INFINITY } = this.#init.options

    if (cancellation?.isCancelled === true) {
      this.#stopDrawing()
    }

    return this.#isDrawing && this.#inFlight < maxItems && this.#bytesInFlight < maxBytes
  }

  #begin(item: T, index: number): void {
    const result = this.#init.apply(item, index)

    if (!isPromise(result)) {
      this.#results[index] = result
      return
    }

    const bytes = this.#init.options.bytesOf?.(item) ?? 0
    this.#inFlight++
    this.#bytesInFlight += bytes
    result.then(
      (result) => {
        this.#results[index] = result
        this.#inFlight--
        this.#bytesInFlight -= bytes
        this.draw()
      },
      (error: unknown) => this.#fail(error)
    )
  }

  #fail(error: unknown): void {
    this.#stopDrawing()
    this.#init.reject(error)
  }

  #stopDrawing(): void {
    if (this.#isDrawing) {
      this.#isDrawing = false

      try {
        this.#iterator.return?.()
      } catch {
        // As in a loop, the first error counts.
      }
    }
  }
}
