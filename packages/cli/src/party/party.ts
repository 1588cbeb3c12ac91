import type { DHT, Publication } from '@waggle/dht'
import { getDHTTime } from '@waggle/record'
import { eventsOf, type Guest, guestsOf, type PartyEvent } from './guests.ts'

const KEY = 'party'

/** Seconds after which a silent guest counts as gone. */
const TTL = 5

/** The state of the party after a change. */
export interface PartyView {
  readonly guests: readonly Guest[]
  readonly events: readonly PartyEvent[]
}

/** One guest's presence at the party, from arrival to departure. */
export class Party implements AsyncDisposable {
  readonly #dht: DHT
  readonly #name: string
  #answer: Publication | undefined

  constructor(dht: DHT, name: string) {
    this.#dht = dht
    this.#name = name
  }

  /** Publishes this guest's answer until the guest leaves, as soon as peers can be reached. */
  say(answer: string): void {
    if (this.#answer === undefined) {
      const options = { subkey: this.#name, ttl: TTL, goodbye: true }
      this.#answer = this.#dht.publish(KEY, answer, options)
    } else {
      void this.#answer.update(answer)
    }
  }

  /** Yields the state of the party after each change, until the signal is aborted. */
  async *views(signal: AbortSignal): AsyncGenerator<PartyView, void, undefined> {
    // With renewals, because the screen shows the expiration of each answer.
    for await (const { current, changes } of this.#dht.watch(KEY, { signal, renewals: true })) {
      yield { guests: guestsOf(current), events: eventsOf(changes, getDHTTime()) }
    }
  }

  /**
   * Deletes this guest's answer, so that the others need not wait for it to expire. The guest may return at once.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#answer?.stop()
  }
}
