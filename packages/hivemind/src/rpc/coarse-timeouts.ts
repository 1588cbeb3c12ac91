import { setMaxListeners } from 'main-event'
import { timeoutSignal } from '../waggle-parts.ts'

/** Milliseconds within which calls share a timeout, which may be late by as much. */
const WINDOW_MS = 50

/** Makes timeouts for very many calls: calls that begin at about the same time share one. */
export class CoarseTimeouts {
  readonly #timeoutMs: number
  #signal: AbortSignal | undefined
  #sinceMs = Number.NEGATIVE_INFINITY

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Returns a signal that aborts when a call that begins now times out. */
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
