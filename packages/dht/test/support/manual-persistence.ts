import type { PersistenceHook } from '../../src/store/store-listeners.ts'

/** A persistence hook that makes changes durable when a test says so. */
export class ManualPersistence implements PersistenceHook {
  /** The waiting callers, in their order. */
  readonly waiting: PromiseWithResolvers<void>[] = []
  #hasChanged = false

  noteChange(): void {
    this.#hasChanged = true
  }

  /** Resolves when a test says so, for each change alone. */
  whenDurable(): Promise<void> | undefined {
    if (!this.#hasChanged) {
      return undefined
    }

    this.#hasChanged = false
    const waiting = Promise.withResolvers<void>()
    this.waiting.push(waiting)
    return waiting.promise
  }
}
