import { MAX_TIMER_MS } from './deadline.ts'

/** A timer with several users, which rings at the earliest requested time. It does not keep the process alive. */
export class Alarm {
  readonly #ring: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #atMs = Number.POSITIVE_INFINITY
  #isStopped = false

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings once within `ms`, or sooner if that was requested before. */
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

  /** Cancels the alarm for good. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }
}
