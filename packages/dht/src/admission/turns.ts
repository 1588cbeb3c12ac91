import { afterMicrotasks, atEndOfTurn } from '../timing/end-of-turn.ts'
import { TurnBudget } from '../timing/turn-budget.ts'
import { CpuShares } from './cpu-shares.ts'

/** Milliseconds of one turn of the event loop after which no further task begins. */
export const TURN_MS = 2

/** Milliseconds until peers beyond their share are served again. */
const PAUSE_MS = 1

/**
 * Begins one task after another, peer by peer. It suits work that continues in microtasks after the call, as
 * libp2p's handling of a message does: all of these run before the next task, which begins in another turn of the
 * event loop once the first has taken too long. The time counts towards the peer's share: see {@link CpuShares}.
 */
export class Turns {
  /** Waiting tasks by peer, in the order in which the peers are served. */
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #shares: CpuShares
  readonly #budget = new TurnBudget()
  #isTaken = false

  constructor(shares: CpuShares = new CpuShares()) {
    this.#shares = shares
  }

  /** Begins the task at once if none waits, or else in the peer's turn. */
  add(peer: string, task: () => void): void {
    const tasks = this.#waiting.get(peer)
    this.#shares.noteRequest(peer, performance.now())

    if (tasks === undefined) {
      this.#waiting.set(peer, [task])
    } else {
      tasks.push(task)
    }

    if (!this.#isTaken) {
      this.#next()
    }
  }

  #next(): void {
    const nowMs = performance.now()
    this.#isTaken = this.#waiting.size > 0

    for (const [peer, tasks] of this.#waiting) {
      if (!this.#shares.isExhausted(peer, nowMs)) {
        this.#begin(peer, tasks)
        return
      }
    }

    if (this.#isTaken) {
      setTimeout(() => this.#next(), PAUSE_MS)
    }
  }

  #begin(peer: string, tasks: (() => void)[]): void {
    const task = tasks.shift()
    const startMs = performance.now()
    this.#waiting.delete(peer)

    if (tasks.length > 0) {
      this.#waiting.set(peer, tasks)
    }

    afterMicrotasks(() => {
      const nowMs = performance.now()
      this.#shares.charge(peer, nowMs - startMs, nowMs)
      this.#budget.spend(nowMs - startMs)
      this.#goOn()
    })
    task?.()
  }

  #goOn(): void {
    if (this.#budget.spentMs < TURN_MS) {
      this.#next()
    } else {
      atEndOfTurn(() => this.#next())
    }
  }
}
