import { MAX_TIMER_MS } from './deadline.ts'

/** One timer for many reasons: it rings at the earliest time that was asked for. Keeps no process from ending. */
export class Alarm {
  readonly #ring: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #atMs = Number.POSITIVE_INFINITY
  #isStopped = false

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings once within so many milliseconds; sooner if it is to do so anyway. */
  within(ms: number): void {
    const waitMs = Math.min(Math.max(0, Math.ceil(ms)), MAX_TIMER_MS)
    const atMs = performance.now() + waitMs

    if (!this.#isStopped && atMs < this.#atMs) {
      clearTimeout(this.#timer)
      this.#atMs = atMs
      this.#timer = setTimeout(() => {
        this.#atMs = Number.POSITIVE_INFINITY
        this.#ring()
      }, waitMs)
      this.#timer.unref?.()
    }
  }

  /** Never rings again. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }
}
