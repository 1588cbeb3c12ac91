import type { PeerId } from '@libp2p/interface'
import { RecentMap } from '../collections/recent-map.ts'
import type { GoodbyeReason } from '../exchange/messages.ts'

/** Peers remembered that sent a goodbye. */
const MAX_REMEMBERED = 1024

/** Milliseconds between a goodbye and the close of its connection. */
const MEMORY_MS = 30_000

export interface GoodbyesInit {
  /** Ways to send a goodbye on an open stream. Each returns whether there was one. */
  readonly onStream: readonly ((peer: PeerId, reason: GoodbyeReason) => boolean)[]

  /** Opens a stream and sends a goodbye on it. */
  readonly onNewStream: (peer: PeerId, reason: GoodbyeReason) => Promise<void>

  /** Called with each peer that closes an idle connection. */
  readonly onIdle: (peer: PeerId) => void

  /** Called with each peer that leaves the network. */
  readonly onLeaving: (peer: PeerId) => void
}

/**
 * Sends the reason before a connection is closed, and remembers peers' reasons (N10c). Otherwise an idle connection
 * that is closed, a peer that stopped and one that crashed would look the same.
 */
export class Goodbyes {
  readonly #init: GoodbyesInit
  /** Peers with a goodbye in either direction. */
  readonly #said = new RecentMap<string, true>({ maxSize: MAX_REMEMBERED, maxAgeMs: MEMORY_MS })

  constructor(init: GoodbyesInit) {
    this.#init = init
  }

  /** Sends a goodbye. Resolves when it is on its way. */
  async say(peer: PeerId, reason: GoodbyeReason): Promise<void> {
    const { onNewStream, onStream } = this.#init
    this.#remember(peer)

    if (!onStream.some((send) => send(peer, reason))) {
      await onNewStream(peer, reason)
    }
  }

  /** Records a peer's goodbye. */
  hear(peer: PeerId, reason: GoodbyeReason): void {
    this.#remember(peer)

    if (reason === 'leaving') {
      this.#init.onLeaving(peer)
    } else {
      this.#init.onIdle(peer)
    }
  }

  /** Whether either side has sent a goodbye recently. */
  has(peer: PeerId): boolean {
    return this.#said.has(peer.toString())
  }

  #remember(peer: PeerId): void {
    this.#said.set(peer.toString(), true)
  }
}
