import type { DHT } from '@waggle/dht'
import { getDHTTime } from '@waggle/record'
import { type Guest, guestsOf, happened, type PartyEvent } from './guests.ts'

const KEY = 'party'

/** Seconds after which somebody counts as gone who vanished without a word. */
const TTL = 5

/** What there is to see, each time that something changes. */
export interface PartyView {
  readonly guests: readonly Guest[]
  readonly events: readonly PartyEvent[]
}

/** Being at the party, from coming to leaving. */
export class Party implements AsyncDisposable {
  readonly #dht: DHT
  readonly #name: string

  constructor(dht: DHT, name: string) {
    this.#dht = dht
    this.#name = name
  }

  /** Says whether we come, and goes on saying so until we leave. */
  async say(answer: string): Promise<void> {
    await this.#dht.store(KEY, answer, { subkey: this.#name, ttl: TTL, republish: true })
  }

  /** Hears of everybody, ourselves included, until the signal is aborted. */
  async *views(signal: AbortSignal): AsyncGenerator<PartyView, void, undefined> {
    let before: Guest[] = []

    for await (const found of this.#dht.watch(KEY, { signal })) {
      const guests = guestsOf(found)
      yield { guests, events: happened(before, guests, getDHTTime()) }
      before = guests
    }
  }

  /** Takes our answer back, so that nobody has to wait until it expires. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dht.delete(KEY, { subkey: this.#name, ttl: 2 * TTL })
  }
}
