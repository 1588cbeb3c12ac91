import { doubled } from '../timing/doubling.ts'
import { LOOK_DELAY_MS, RENEW_MS } from './limits.ts'

/**
 * The delay of the next look at a key that is due because peers come or go. It doubles each time, up to that of a renewal,
 * until none is due for as long: where many peers come and go, looks would otherwise take all of a machine's time.
 */
export class LookDelay {
  #looks = 0
  #dueMs = Number.NEGATIVE_INFINITY

  /** Plans the next look. Returns after how many milliseconds it is due. */
  next(): number {
    const nowMs = performance.now()
    this.#looks = nowMs - this.#dueMs > RENEW_MS ? 0 : this.#looks + 1
    const delayMs = doubled(LOOK_DELAY_MS, this.#looks, RENEW_MS)
    this.#dueMs = nowMs + delayMs
    return delayMs
  }
}
