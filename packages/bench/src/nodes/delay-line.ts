/**
 * Delivers each item after a fixed delay and its own extra delay, in order. Any number of items can be in transit.
 */
export class DelayLine {
  readonly #delayMs: number
  readonly #onTheWay: { readonly dueMs: number; readonly deliver: () => void }[] = []
  #isWaiting = false

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  send(deliver: () => void, waitMs = 0): void {
    this.#onTheWay.push({ dueMs: performance.now() + waitMs + this.#delayMs, deliver })
    this.#wait()
  }

  /** Waits for the next item. Timers count from the time that the event loop last read, so they can fire early. */
  #wait(): void {
    const [next] = this.#onTheWay

    if (next !== undefined && !this.#isWaiting) {
      this.#isWaiting = true
      setTimeout(() => this.#deliver(), Math.max(0, next.dueMs - performance.now()))
    }
  }

  #deliver(): void {
    const nowMs = performance.now()

    try {
      for (let next = this.#onTheWay[0]; next && next.dueMs <= nowMs; next = this.#onTheWay[0]) {
        this.#onTheWay.shift()
        next.deliver()
      }
    } finally {
      this.#isWaiting = false
      this.#wait()
    }
  }
}
