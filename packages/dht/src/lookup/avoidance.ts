import type { PeerId } from '@libp2p/interface'
import { FIRST_AVOIDANCE_MS, MAX_AVOIDANCE_MS, MAX_AVOIDED_PEERS } from '../constants.ts'

interface Failures {
  readonly count: number
  readonly untilMs: number
}

/**
 * Who failed lately, so that a dead peer costs one timeout and not one in each search (N8). Each
 * failure in a row doubles the time for which the peer is asked only when others are too few.
 */
export class Avoidance {
  /** In the order of the last failure, for the sake of forgetting the oldest. */
  readonly #failures = new Map<string, Failures>()
  readonly #nowMs: () => number
  readonly #onGivenUp: (peer: PeerId) => void

  /** `onGivenUp` is told of each failure of a peer that has failed more than once in a row. */
  constructor(
    nowMs: () => number = () => performance.now(),
    onGivenUp: (peer: PeerId) => void = () => {}
  ) {
    this.#nowMs = nowMs
    this.#onGivenUp = onGivenUp
  }

  has(peer: PeerId): boolean {
    if (this.#failures.size === 0) {
      return false
    }

    const failures = this.#failures.get(peer.toString())
    return failures !== undefined && failures.untilMs > this.#nowMs()
  }

  /** How many peers are avoided now. */
  get size(): number {
    const nowMs = this.#nowMs()
    return [...this.#failures.values()].filter(({ untilMs }) => untilMs > nowMs).length
  }

  failed(peer: PeerId): void {
    const name = peer.toString()
    const count = (this.#failures.get(name)?.count ?? 0) + 1
    const avoidanceMs = Math.min(FIRST_AVOIDANCE_MS * 2 ** (count - 1), MAX_AVOIDANCE_MS)

    this.#failures.delete(name)
    this.#failures.set(name, { count, untilMs: this.#nowMs() + avoidanceMs })
    this.#forgetOldest()

    if (count > 1) {
      this.#onGivenUp(peer)
    }
  }

  /** A peer has too much to do: it is spared for a moment, which is no failure. */
  busy(peer: PeerId): void {
    const name = peer.toString()
    const count = this.#failures.get(name)?.count ?? 0
    this.#failures.delete(name)
    this.#failures.set(name, { count, untilMs: this.#nowMs() + FIRST_AVOIDANCE_MS })
    this.#forgetOldest()
  }

  /** Takes note if what a peer was asked for fails, and passes it on. */
  async watch<T>(peer: PeerId, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      const name = error instanceof Error ? error.name : ''

      if (name === 'BusyError') {
        this.busy(peer)
      } else if (name !== 'AbortError') {
        this.failed(peer)
      }

      throw error
    }
  }

  answered(peer: PeerId): void {
    this.#failures.delete(peer.toString())
  }

  #forgetOldest(): void {
    if (this.#failures.size > MAX_AVOIDED_PEERS) {
      const [oldest] = this.#failures.keys()
      this.#failures.delete(oldest ?? '')
    }
  }
}
