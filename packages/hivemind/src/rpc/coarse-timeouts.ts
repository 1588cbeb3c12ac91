import { setMaxListeners } from 'main-event'
import { timeoutSignal } from '../waggle-parts.ts'

/** Milliseconds within which calls share a timeout, and by which it may be late. */
const WINDOW_MS = 50

/** Makes timeouts for very many calls: those that begin at about the same time share one. */
export class CoarseTimeouts {
  readonly #timeoutMs: number
  #signal: AbortSignal | undefined
  #sinceMs = Number.NEGATIVE_INFINITY

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Returns a signal that is aborted once a call that begins now has had its time. */
  next(): AbortSignal {
    const nowMs = performance.now()

    if (this.#signal === undefined || nowMs - this.#sinceMs > WINDOW_MS) {
      this.#signal = timeoutSignal(this.#timeoutMs + WINDOW_MS)
      this.#sinceMs = nowMs
      setMaxListeners(Number.POSITIVE_INFINITY, this.#signal)
    }

    return this.#signal
  }
}
