import type { WatchState } from './watch-messages.ts'

/** The state of one key at a peer. */
interface Subscription {
  /** Whether the last request was to watch it. */
  isWanted: boolean

  /** Replies due to requests to unwatch it. */
  endings: number
}

/**
 * The keys of which one peer may notify: those that it was asked to watch, until it has replied that it no longer
 * does. A notice that was in flight then is no violation, and is ignored.
 */
export class Subscriptions {
  readonly #keys = new Map<string, Subscription>()

  /** Keys of which the peer may notify. */
  get size(): number {
    return this.#keys.size
  }

  /** Takes note of a request to watch a key, or to unwatch it. */
  request(name: string, isWanted: boolean): void {
    const endings = this.#keys.get(name)?.endings ?? 0
    this.#keys.set(name, { isWanted, endings: endings + Number(!isWanted) })
  }

  /** Takes note of a reply. */
  reply(name: string, state: WatchState): void {
    const { isWanted, endings } = this.#keys.get(name) ?? { isWanted: true, endings: 0 }
    const left = Math.max(0, endings - Number(state === 'ended'))

    if (left === 0 && (!isWanted || state !== 'watched')) {
      this.#keys.delete(name)
    } else {
      this.#keys.set(name, { isWanted, endings: left })
    }
  }

  /** Classifies a notice of a key from the peer. */
  notify(name: string): 'wanted' | 'late' | 'never asked for' {
    const subscription = this.#keys.get(name)

    if (subscription === undefined) {
      return 'never asked for'
    }

    return subscription.isWanted ? 'wanted' : 'late'
  }
}
