import { Tally } from '../collections/tally.ts'
import type { WatchRole } from './watch-messages.ts'

/** The peers that subscribe to one key, and their roles. */
export class Subscribers<S> {
  readonly #roles = new Map<S, WatchRole>()
  readonly #counts = new Tally<WatchRole>()

  /** Until when further writes are collected, in ms of the process's clock. */
  pausedUntilMs = 0

  get size(): number {
    return this.#roles.size
  }

  has(subscriber: S): boolean {
    return this.#roles.has(subscriber)
  }

  count(role: WatchRole): number {
    return this.#counts.get(role)
  }

  /** Returns all subscribers, or those whose role is, or is not, the given one. */
  list(role?: WatchRole, is = true): S[] {
    return role === undefined
      ? [...this.#roles.keys()]
      : [...this.#roles].flatMap(([subscriber, its]) => ((its === role) === is ? [subscriber] : []))
  }

  add(subscriber: S, role: WatchRole): void {
    this.delete(subscriber)
    this.#roles.set(subscriber, role)
    this.#counts.add(role)
  }

  /** Returns the role that the subscriber had. */
  delete(subscriber: S): WatchRole | undefined {
    const role = this.#roles.get(subscriber)

    if (role !== undefined) {
      this.#roles.delete(subscriber)
      this.#counts.add(role, -1)
    }

    return role
  }
}
