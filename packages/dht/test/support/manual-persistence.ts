import type { PersistenceHook } from '../../src/store/store-listeners.ts'

/** A keeper that makes durable what a test says, when it says so. */
export class ManualPersistence implements PersistenceHook {
  /** Those who wait, in their order. */
  readonly waiting: PromiseWithResolvers<void>[] = []
  #hasChanged = false

  noteChange(): void {
    this.#hasChanged = true
  }

  /** Each change is on its own. */
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
