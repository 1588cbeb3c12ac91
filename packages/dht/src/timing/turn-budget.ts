import { atEndOfTurn } from './end-of-turn.ts'

/** Milliseconds that may be left over from earlier turns, as scheduling a refill takes longer than a short step. */
const NEGLIGIBLE_MS = 0.1

/** Limits the time that one kind of work takes in one turn of the event loop. */
export class TurnBudget {
  #spentMs = 0
  #isRefillScheduled = false

  /** Milliseconds spent in this turn. */
  get spentMs(): number {
    return this.#spentMs
  }

  /** Counts time spent in this turn. */
  spend(ms: number): void {
    this.#spentMs += ms

    if (!this.#isRefillScheduled && this.#spentMs > NEGLIGIBLE_MS) {
      this.#isRefillScheduled = true
      atEndOfTurn(() => {
        this.#isRefillScheduled = false
        this.refill()
      })
    }
  }

  /** Resets the budget, as happens at each turn of the event loop. */
  refill(): void {
    this.#spentMs = 0
  }
}
