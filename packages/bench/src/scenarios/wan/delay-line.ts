/** Hands on what it is given, in order, after the same time each; any number may be on the way. */
export class DelayLine {
  readonly #delayMs: number
  readonly #onTheWay: { readonly dueMs: number; readonly deliver: () => void }[] = []
  #isWaiting = false

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  send(deliver: () => void): void {
    this.#onTheWay.push({ dueMs: performance.now() + this.#delayMs, deliver })
    this.#wait()
  }

  /** Timers count from when the event loop last looked at the clock, and so may be early. */
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
