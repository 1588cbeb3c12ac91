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

  /** Whether the peer is retried forever. */
  readonly isInitial: boolean

  /** The peer's id, if known: an address may lack it. */
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

  /** Ends all retries. */
  readonly lifetime: AbortSignal
}

/**
 * Keeps a node in its network (N8h). Retries an initial peer that could not be reached or was lost, soon at first,
 * then less often. When the last connection is lost, also retries all remembered peers, until there is a connection
 * again.
 */
export class Reconnector {
  readonly #init: ReconnectorInit
  readonly #retries = new Map<string, Retry>()

  constructor(init: ReconnectorInit) {
    this.#init = init
  }

  /** Follows connects and disconnects from now on. */
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

  /** Restarts all attempts: while the machine slept, the network may have recovered. */
  #retryAtOnce(): void {
    for (const { candidate } of [...this.#retries.values()]) {
      this.retry(candidate)
    }
  }

  /** Retries joining through a peer until it succeeds. */
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

  /** Records a peer that was reached, and thereby perhaps an unknown part of the network. */
  recordReached(candidate: Candidate, peer: PeerId): void {
    candidate.peer = peer.toString()
    this.#init.waggle.discover(peer)
  }

  get #isLonely(): boolean {
    return this.#init.waggle.joinedPeers.length === 0
  }

  #onConnect(id: PeerId): void {
    // A page that stands in for servers can't be dialled later.
    if (!this.#init.waggle.isJoined(id)) {
      return
    }

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
      // A banned peer would refuse this node, or be refused.
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

  /** The initial peers with this peer id, and the remembered peer. */
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

  /** Whether a candidate is still needed. A remembered peer is needed only by a node without any other. */
  #isWanted({ name, isInitial }: Candidate): boolean {
    const isRemembered = this.#init.remembered.addressesOf(name).length > 0
    return isInitial || (isRemembered && this.#isLonely)
  }
}
