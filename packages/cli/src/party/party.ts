import type { DHT } from '@waggle/dht'
import { getDHTTime } from '@waggle/record'
import { leastDeletion } from '../records/least-deletion.ts'
import { eventsOf, type Guest, guestsOf, type PartyEvent } from './guests.ts'

const KEY = 'party'

/** Seconds after which a guest that vanished counts as gone. */
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

  constructor(dht: DHT, name: string) {
    this.#dht = dht
    this.#name = name
  }

  /** Stores this guest's answer, and republishes it until the guest leaves. */
  async say(answer: string): Promise<void> {
    await this.#dht.store(KEY, answer, { subkey: this.#name, ttl: TTL, republish: true })
  }

  /** Yields the state of the party after each change, until the signal is aborted. */
  async *views(signal: AbortSignal): AsyncGenerator<PartyView, void, undefined> {
    // With renewals, because the screen shows until when each answer counts.
    for await (const { current, changes } of this.#dht.watch(KEY, { signal, renewals: true })) {
      yield { guests: guestsOf(current), events: eventsOf(changes, getDHTTime()) }
    }
  }

  /** Deletes this guest's answer, so that the others need not wait for it to expire. The guest may return at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    const subkey = this.#name
    this.#dht.stopRepublishing(KEY, { subkey })
    const expirationTime = await leastDeletion(this.#dht, { key: KEY, subkey })
    await (expirationTime && this.#dht.delete(KEY, { subkey, expirationTime }))
  }
}
