import type { PeerId } from '@libp2p/interface'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { GoodbyeReason } from '../exchange/messages.ts'

/** Peers remembered that have said goodbye. */
const MAX_REMEMBERED = 1024

/** Milliseconds in which a connection is closed after a goodbye. */
const MEMORY_MS = 30_000

export interface GoodbyesInit {
  /** Ways to send a goodbye on a stream that is open; they say whether one was. */
  readonly onStream: readonly ((peer: PeerId, reason: GoodbyeReason) => boolean)[]

  /** Opens a stream for it. */
  readonly onNewStream: (peer: PeerId, reason: GoodbyeReason) => Promise<void>

  /** Called with each peer that leaves the network. */
  readonly onLeaving: (peer: PeerId) => void
}

/**
 * Says why a connection is closed, and remembers what peers said (N10c). Otherwise an idle connection
 * that is closed, a peer that is stopped and one that has crashed would look the same.
 */
export class Goodbyes {
  readonly #init: GoodbyesInit
  /** When they were heard or said, in ms of the process's clock. */
  readonly #atMs = new BoundedMap<string, number>({ maxSize: MAX_REMEMBERED })

  constructor(init: GoodbyesInit) {
    this.#init = init
  }

  /** Resolves when it is on its way. */
  async say(peer: PeerId, reason: GoodbyeReason): Promise<void> {
    const { onNewStream, onStream } = this.#init
    this.#remember(peer)

    if (!onStream.some((send) => send(peer, reason))) {
      await onNewStream(peer, reason)
    }
  }

  /** A peer has said goodbye. */
  hear(peer: PeerId, reason: GoodbyeReason): void {
    this.#remember(peer)

    if (reason === 'leaving') {
      this.#init.onLeaving(peer)
    }
  }

  /** Whether one of both has said goodbye lately. */
  has(peer: PeerId): boolean {
    const atMs = this.#atMs.get(peer.toString())
    return atMs !== undefined && atMs > performance.now() - MEMORY_MS
  }

  #remember(peer: PeerId): void {
    this.#atMs.set(peer.toString(), performance.now())
  }
}
