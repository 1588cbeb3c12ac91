import type { DHTTime } from '@waggle/record'
import { type Due, DueQueue } from '../timing/due-queue.ts'

/** A cached record that is to be fetched again while it lives. */
export interface Refresh extends Due {
  readonly key: Uint8Array
}

/** Beyond so many keys it is forgotten which of them were fetched again already. */
const MAX_REMEMBERED = 10_000

/**
 * Which cached records are to be fetched again. What turned out to be as late as it gets is not
 * fetched again for the same expiration.
 */
export class RefreshQueue {
  readonly #queue = new DueQueue<Refresh>()
  /** For when a key was fetched again last. */
  readonly #taken = new Map<string, DHTTime>()

  /** When the next one is due; undefined if there is none. */
  get nextTime(): DHTTime | undefined {
    return this.#queue.nextTime
  }

  /** Adds a key, or changes when it is due. */
  add(refresh: Refresh): void {
    const { name, dueTime } = refresh

    if (this.#queue.get(name)?.dueTime !== dueTime && this.#taken.get(name) !== dueTime) {
      this.#queue.set(refresh)
    }
  }

  /** Takes out what is due, at most so many. */
  take(now: DHTTime, most: number): Refresh[] {
    const due = this.#queue.take(now, most)

    for (const { name, dueTime } of due) {
      this.#taken.delete(name)
      this.#taken.set(name, dueTime)
    }

    for (const name of this.#taken.keys()) {
      if (this.#taken.size <= MAX_REMEMBERED) {
        break
      }

      this.#taken.delete(name)
    }

    return due
  }
}
