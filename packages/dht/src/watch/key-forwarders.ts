import type { PeerInfo } from '@libp2p/interface'
import { MAX_FORWARDERS_ASKED, PROMPT_PEERS } from './limits.ts'

export interface KeyForwardersInit {
  /** Has a peer watch the key for this node. Resolves with whether it does; never rejects. */
  readonly ask: (forwarder: PeerInfo) => Promise<boolean>
  readonly unwatch: (forwarder: PeerInfo) => void
}

/** The peers that forward changes of one key to this node. */
export class KeyForwarders {
  readonly #init: KeyForwardersInit
  readonly #forwarding = new Map<string, PeerInfo>()
  #candidates: PeerInfo[] = []

  constructor(init: KeyForwardersInit) {
    this.#init = init
  }

  get size(): number {
    return this.#forwarding.size
  }

  has(name: string): boolean {
    return this.#forwarding.has(name)
  }

  /** Whether there are as many as there should be. */
  get isComplete(): boolean {
    return this.size >= PROMPT_PEERS
  }

  /** Takes peers to be asked next, in this order. */
  offer(candidates: readonly PeerInfo[]): void {
    this.#candidates = candidates.filter(({ id }) => !this.#forwarding.has(id.toString()))
  }

  /** Renews subscriptions, and replaces forwarders that are missing by candidates. */
  async renew(): Promise<void> {
    await this.#ask([...this.#forwarding.values()])
    const next = this.#candidates.splice(0, MAX_FORWARDERS_ASKED)

    while (!this.isComplete && next.length > 0) {
      await this.#ask(next.splice(0, PROMPT_PEERS - this.size))
    }

    this.#candidates.unshift(...next)
  }

  /** Takes note that a peer forwards nothing any more. Returns whether it did. */
  lose(name: string): boolean {
    return this.#forwarding.delete(name)
  }

  /** Does without forwarders. */
  drop(): void {
    for (const forwarder of this.#forwarding.values()) {
      this.#init.unwatch(forwarder)
    }

    this.#forwarding.clear()
    this.#candidates = []
  }

  async #ask(peers: readonly PeerInfo[]): Promise<void> {
    await Promise.all(
      peers.map(async (peer) => {
        const name = peer.id.toString()

        if (await this.#init.ask(peer)) {
          this.#forwarding.set(name, peer)
        } else {
          this.#forwarding.delete(name)
        }
      })
    )
  }
}
