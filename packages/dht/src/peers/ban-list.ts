import type { Connection, Libp2pEvents, Logger, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'

/** How long a peer that broke the protocol is kept away. Twice as long each time, up to an hour. */
export const FIRST_BAN_MS = 60_000
export const MAX_BAN_MS = 3_600_000

/** So many peers' offences are remembered; beyond, the oldest are forgotten. */
const MAX_BANS = 4096

export interface BanListInit {
  readonly connectionManager: ConnectionManager
  readonly log: Logger
  readonly nowMs?: () => number
}

interface Ban {
  readonly count: number
  readonly untilMs: number
}

/**
 * Peers that broke the protocol (N9). Their connections end, and for a while they are neither asked
 * nor let in again.
 */
export class BanList {
  readonly #init: BanListInit
  readonly #nowMs: () => number
  readonly #offences = new Map<string, Ban>()

  constructor(init: BanListInit) {
    this.#init = init
    this.#nowMs = init.nowMs ?? (() => performance.now())
  }

  /** Turns away those who come back too early, until the signal is aborted. */
  follow(events: TypedEventTarget<Libp2pEvents>, signal: AbortSignal): void {
    const onOpen = ({ detail }: CustomEvent<Connection>): void => {
      if (this.has(detail.remotePeer)) {
        detail.abort(new Error('the peer broke the protocol lately'))
      }
    }
    events.addEventListener('connection:open', onOpen, { signal })
  }

  has(peer: PeerId): boolean {
    if (this.#offences.size === 0) {
      return false
    }

    const offences = this.#offences.get(peer.toString())
    return offences !== undefined && offences.untilMs > this.#nowMs()
  }

  /** Ends all connections to a peer, and keeps it away. */
  ban(peer: PeerId, error: Error): void {
    const name = peer.toString()
    const count = (this.#offences.get(name)?.count ?? 0) + 1
    const forMs = Math.min(FIRST_BAN_MS * 2 ** (count - 1), MAX_BAN_MS)
    const { connectionManager, log } = this.#init

    this.#offences.delete(name)
    this.#offences.set(name, { count, untilMs: this.#nowMs() + forMs })
    this.#forgetOldest()
    log('%p broke the protocol and is kept away for %d ms - %e', peer, forMs, error)

    for (const connection of connectionManager.getConnections(peer)) {
      connection.abort(error)
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#offences.keys()

    if (this.#offences.size > MAX_BANS && oldest !== undefined) {
      this.#offences.delete(oldest)
    }
  }
}
