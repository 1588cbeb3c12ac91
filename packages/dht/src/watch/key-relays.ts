import type { PeerInfo } from '@libp2p/interface'
import { MAX_RELAYS_ASKED, PROMPT_REPLICAS } from './limits.ts'

export interface KeyRelaysInit {
  /** Has a peer watch the key for this node, and says whether it does. Never rejects. */
  readonly ask: (relay: PeerInfo) => Promise<boolean>
  readonly unwatch: (relay: PeerInfo) => void
}

/** The peers that notify of one key in the place of its replicas, where these are full. */
export class KeyRelays {
  readonly #init: KeyRelaysInit
  readonly #telling = new Map<string, PeerInfo>()

  constructor(init: KeyRelaysInit) {
    this.#init = init
  }

  /** Relays that notify. */
  get size(): number {
    return this.#telling.size
  }

  /** A relay notifies no more. Returns whether it did. */
  lose(name: string): boolean {
    return this.#telling.delete(name)
  }

  /** Renews what is watched by relays. */
  async renew(): Promise<void> {
    await this.#ask([...this.#telling.values()])
  }

  /** Finds as many relays as are to notify, among those that there are and then those named. */
  async find(named: readonly PeerInfo[]): Promise<void> {
    await this.renew()
    const others = named.filter(({ id }) => !this.#telling.has(id.toString()))

    for (let asked = 0; asked < Math.min(others.length, MAX_RELAYS_ASKED); ) {
      const missing = PROMPT_REPLICAS - this.size

      if (missing <= 0) {
        return
      }

      await this.#ask(others.slice(asked, asked + missing))
      asked += missing
    }
  }

  /** Does without relays. */
  drop(): void {
    for (const relay of this.#telling.values()) {
      this.#init.unwatch(relay)
    }

    this.#telling.clear()
  }

  async #ask(relays: readonly PeerInfo[]): Promise<void> {
    await Promise.all(
      relays.map(async (relay) => {
        const name = relay.id.toString()

        if (await this.#init.ask(relay)) {
          this.#telling.set(name, relay)
        } else {
          this.#telling.delete(name)
        }
      })
    )
  }
}
