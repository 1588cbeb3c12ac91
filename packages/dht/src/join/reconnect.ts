import type { Logger, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { anySignal } from '../timing/deadline.ts'
import { wait } from '../timing/wait.ts'
import { type AttemptInit, attempt } from './attempt.ts'
import { backoffMs } from './backoff.ts'
import type { RememberedPeers } from './remembered-peers.ts'

/** A peer to join through. */
export interface Candidate {
  readonly name: string
  readonly addresses: readonly Multiaddr[]

  /** Never given up. */
  readonly isInitial: boolean

  /** The peer's id, as far as it is known: an address may come without one. */
  peer: string | undefined
}

interface Retry {
  readonly candidate: Candidate
  readonly stop: AbortController
}

export interface ReconnectorInit extends AttemptInit {
  readonly initial: readonly Candidate[]
  readonly remembered: RememberedPeers
  readonly log: Logger

  /** Ends it. */
  readonly lifetime: AbortSignal
}

/**
 * Keeps a node in its network (N8h): an initial peer that could not be reached, or was lost, is tried
 * again, first soon, then less often. When the last connection is lost, so are all remembered peers,
 * until there is one again.
 */
export class Reconnector {
  readonly #init: ReconnectorInit
  readonly #retries = new Map<string, Retry>()

  constructor(init: ReconnectorInit) {
    this.#init = init
  }

  /** Follows who comes and goes from now on. */
  follow(): void {
    const { waggle, lifetime: signal } = this.#init
    const { events } = waggle
    events.addEventListener('peer:connect', ({ detail }) => this.#onConnect(detail), { signal })
    events.addEventListener('node:wake', () => this.#retryAtOnce(), { signal })
    events.addEventListener('peer:lost', ({ detail }) => this.#onLost(detail), { signal })

    for (const peer of waggle.joinedPeers) {
      this.#onConnect(peer)
    }
  }

  /** Begins all attempts anew: while the node slept, the network may have come back. */
  #retryAtOnce(): void {
    for (const { candidate } of [...this.#retries.values()]) {
      this.retry(candidate)
    }
  }

  /** Tries again to join through a peer, for as long as it takes. */
  retry(candidate: Candidate): void {
    this.#retries.get(candidate.name)?.stop.abort()
    const stop = new AbortController()
    this.#retries.set(candidate.name, { candidate, stop })

    this.#keepTrying(candidate, anySignal(stop.signal, this.#init.lifetime)).then(
      () => this.#end(candidate, stop),
      () => this.#end(candidate, stop)
    )
  }

  #end({ name }: Candidate, stop: AbortController): void {
    if (this.#retries.get(name)?.stop === stop) {
      this.#retries.delete(name)
    }
  }

  /** Takes note of a peer that was reached, and with it perhaps a network of which no other is known. */
  recordReached(candidate: Candidate, peer: PeerId): void {
    candidate.peer = peer.toString()
    this.#init.waggle.discover(peer)
  }

  get #isLonely(): boolean {
    return this.#init.waggle.joinedPeers.length === 0
  }

  #onConnect(id: PeerId): void {
    for (const candidate of this.#candidatesFor(id.toString())) {
      const retry = this.#retries.get(candidate.name)

      if (retry !== undefined) {
        retry.stop.abort()
        this.recordReached(candidate, id)
      }
    }

    this.#remember(id).catch((error) => {
      this.#init.log('could not remember the peer %p - %e', id, error)
    })
  }

  async #remember(id: PeerId): Promise<void> {
    const { addresses } = await this.#init.node.peerStore.get(id)
    this.#init.remembered.remember(
      id,
      addresses.map(({ multiaddr }) => multiaddr)
    )
  }

  #onLost(id: PeerId): void {
    const lost = id.toString()
    const isBanned = this.#init.waggle.isBanned(id)

    for (const candidate of this.#isLonely ? this.#allCandidates() : this.#candidatesFor(lost)) {
      // A banned peer would be turned away, or turn this node away.
      if (!isBanned || candidate.peer !== lost) {
        this.retry(candidate)
      }
    }
  }

  #allCandidates(): Candidate[] {
    const { initial, log, remembered } = this.#init
    log('lost the last peer: going back to the %d initial peers and all known ones', initial.length)
    return [...initial, ...remembered.all.flatMap(([peer]) => this.#rememberedAs(peer))]
  }

  /** The initial peers that a peer turned out to be, and where it is remembered to be. */
  #candidatesFor(peer: string): Candidate[] {
    const initial = this.#init.initial.filter((candidate) => candidate.peer === peer)
    return [...initial, ...this.#rememberedAs(peer)]
  }

  #rememberedAs(peer: string): Candidate[] {
    const addresses = this.#init.remembered.addressesOf(peer)
    return addresses.length === 0 ? [] : [{ name: peer, addresses, isInitial: false, peer }]
  }

  async #keepTrying(candidate: Candidate, signal: AbortSignal): Promise<void> {
    for (let failures = 0; this.#isWanted(candidate); failures++) {
      await wait(backoffMs(failures, { isLonely: this.#isLonely, random: Math.random() }), signal)

      if (signal.aborted || this.#init.node.status !== 'started') {
        return
      }

      try {
        const peer = await attempt(candidate, this.#init, { signal })
        this.recordReached(candidate, peer)
        return
      } catch (error) {
        this.#init.log('could not reach %s again - %e', candidate.name, error)
      }
    }
  }

  /** A remembered peer is of use only to a node without any other. */
  #isWanted({ name, isInitial }: Candidate): boolean {
    const isRemembered = this.#init.remembered.addressesOf(name).length > 0
    return isInitial || (isRemembered && this.#isLonely)
  }
}
