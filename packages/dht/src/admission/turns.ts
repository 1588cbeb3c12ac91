import { afterMicrotasks, atEndOfTurn } from '../timing/end-of-turn.ts'
import { TurnBudget } from '../timing/turn-budget.ts'
import { CpuShares, EXHAUSTED_PAUSE_MS } from './cpu-shares.ts'
import { PeerRotation } from './peer-rotation.ts'

/** Milliseconds of one turn of the event loop after which no further task begins. */
export const TURN_MS = 2

/**
 * Share of the time since the last turn that a turn may take instead, and milliseconds that it takes at most then. A
 * process with much else to do has few turns, and messages would wait longer and longer for one.
 */
const LONG_TURN_SHARE = 0.25
const MAX_TURN_MS = 20

/**
 * Begins one task after another, peer by peer. It suits work that continues in microtasks after the call, as
 * libp2p's handling of a message does: all of these run before the next task, which begins in another turn of the
 * event loop once they have taken too long. The time counts towards the peer's share: see {@link CpuShares}.
 */
export class Turns {
  readonly #waiting = new PeerRotation<() => void>()
  readonly #shares: CpuShares
  readonly #budget = new TurnBudget()
  #isTaken = false
  #turnMs = TURN_MS

  constructor(shares: CpuShares = new CpuShares()) {
    this.#shares = shares
  }

  /** Begins the task at once if none waits, or else in the peer's turn. */
  add(peer: string, task: () => void): void {
    this.#shares.noteRequest(peer, performance.now())
    this.#waiting.add(peer, task)

    if (!this.#isTaken) {
      this.#turnMs = TURN_MS
      this.#next()
    }
  }

  #next(): void {
    const nowMs = performance.now()
    const peer = this.#waiting.next((one) => !this.#shares.isExhausted(one, nowMs))
    this.#isTaken = this.#waiting.size > 0

    if (peer !== undefined) {
      this.#begin(peer)
    } else if (this.#isTaken) {
      setTimeout(() => this.#next(), EXHAUSTED_PAUSE_MS)
    }
  }

  #begin(peer: string): void {
    const task = this.#waiting.take(peer)
    const startMs = performance.now()

    afterMicrotasks(() => {
      const nowMs = performance.now()
      this.#shares.charge(peer, nowMs - startMs, nowMs)
      this.#budget.spend(nowMs - startMs)
      this.#goOn()
    })
    task?.()
  }

  #goOn(): void {
    if (this.#budget.spentMs < this.#turnMs) {
      this.#next()
    } else {
      this.#waitForTurn()
    }
  }

  #waitForTurn(): void {
    const startMs = performance.now()

    atEndOfTurn(() => {
      const share = LONG_TURN_SHARE * (performance.now() - startMs)
      this.#turnMs = Math.max(TURN_MS, Math.min(share, MAX_TURN_MS))
      this.#next()
    })
  }
}
