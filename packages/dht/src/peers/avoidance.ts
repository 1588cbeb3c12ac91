import type { PeerId } from '@libp2p/interface'
import { FIRST_AVOIDANCE_MS, MAX_AVOIDANCE_MS, MAX_AVOIDED_PEERS } from '../constants.ts'

interface Failed {
  readonly count: number
  readonly untilMs: number
}

/** Who or what failed lately, by name. Each failure in a row doubles the time until it is tried like others again. */
export class Failures {
  /** In the order of the last failure, for the sake of forgetting the oldest. */
  readonly #failed = new Map<string, Failed>()
  readonly #nowMs: () => number

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  get isEmpty(): boolean {
    return this.#failed.size === 0
  }

  has(name: string): boolean {
    const failed = this.#failed.get(name)
    return failed !== undefined && failed.untilMs > this.#nowMs()
  }

  /** How many are within their time. */
  get size(): number {
    const nowMs = this.#nowMs()
    return [...this.#failed.values()].filter(({ untilMs }) => untilMs > nowMs).length
  }

  /** Says how often in a row that was. */
  add(name: string): number {
    const count = (this.#failed.get(name)?.count ?? 0) + 1
    this.#remember(name, {
      count,
      ms: Math.min(FIRST_AVOIDANCE_MS * 2 ** (count - 1), MAX_AVOIDANCE_MS)
    })
    return count
  }

  /** As after a first failure, but none is counted. */
  spare(name: string): void {
    this.#remember(name, { count: this.#failed.get(name)?.count ?? 0, ms: FIRST_AVOIDANCE_MS })
  }

  forget(name: string): void {
    this.#failed.delete(name)
  }

  #remember(name: string, { count, ms }: { count: number; ms: number }): void {
    this.#failed.delete(name)
    this.#failed.set(name, { count, untilMs: this.#nowMs() + ms })

    if (this.#failed.size > MAX_AVOIDED_PEERS) {
      const [oldest] = this.#failed.keys()
      this.#failed.delete(oldest ?? '')
    }
  }
}

/**
 * Which peers failed lately, so that a dead one costs one timeout and not one in each search (N8): they are
 * asked only when others are too few.
 */
export class Avoidance {
  readonly #failures: Failures
  readonly #onGivenUp: (peer: PeerId) => void

  /** `onGivenUp` is told of each failure of a peer that has failed more than once in a row. */
  constructor(nowMs?: () => number, onGivenUp: (peer: PeerId) => void = () => {}) {
    this.#failures = new Failures(nowMs)
    this.#onGivenUp = onGivenUp
  }

  has(peer: PeerId): boolean {
    return !this.#failures.isEmpty && this.#failures.has(peer.toString())
  }

  /** How many peers are avoided now. */
  get size(): number {
    return this.#failures.size
  }

  failed(peer: PeerId): void {
    if (this.#failures.add(peer.toString()) > 1) {
      this.#onGivenUp(peer)
    }
  }

  /** A peer has too much to do: it is spared for a moment, which is no failure. */
  busy(peer: PeerId): void {
    this.#failures.spare(peer.toString())
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
    this.#failures.forget(peer.toString())
  }
}
