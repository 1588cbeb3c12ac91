/**
 * As what a peer subscribes to a key: to watch it; as a relay, on which watchers depend; or as one that
 * this node watches the key for.
 */
export type SubscriberRole = 'watcher' | 'relay' | 'relayed'

/** The peers that subscribe to one key, and as what. Relays have places of their own. */
export class Subscribers<S> {
  readonly #roles = new Map<S, SubscriberRole>()
  readonly #counts: Record<SubscriberRole, number> = { watcher: 0, relay: 0, relayed: 0 }

  get size(): number {
    return this.#roles.size
  }

  /** Subscribers in a role. */
  count(role: SubscriberRole): number {
    return this.#counts[role]
  }

  roleOf(subscriber: S): SubscriberRole | undefined {
    return this.#roles.get(subscriber)
  }

  add(subscriber: S, role: SubscriberRole): void {
    this.delete(subscriber)
    this.#roles.set(subscriber, role)
    this.#counts[role]++
  }

  delete(subscriber: S): void {
    const role = this.#roles.get(subscriber)

    if (role !== undefined) {
      this.#roles.delete(subscriber)
      this.#counts[role]--
    }
  }

  /** Lists those in a role, or all. */
  list(role?: SubscriberRole): S[] {
    const all = [...this.#roles]
    return all.flatMap(([each, its]) => (role === undefined || its === role ? [each] : []))
  }
}
