import { MAX_BULK_IN_FLIGHT, MIN_BULK_IN_FLIGHT } from './limits.ts'

/** Milliseconds for which a bulk request may wait for earlier ones, and up to which more are sent. */
const MAX_WAIT_MS = 1000
const GROWTH_WAIT_MS = 500

/**
 * Limits the bulk requests in flight to one peer to those that it answers within about a second (after TCP Vegas,
 * RFC 5681 for the steps). Further ones would only wait there, where they can't be cancelled: after an outage, the
 * line would be busy for long with responses that nobody waits for.
 */
export class BulkLimit {
  #max: number = MIN_BULK_IN_FLIGHT
  #leastMs = Number.POSITIVE_INFINITY
  #reducedMs = Number.NEGATIVE_INFINITY

  /** Messages that may be in flight. */
  get max(): number {
    return Math.floor(this.#max)
  }

  /** Records a response, in ms of the process's clock. */
  record(sentMs: number, nowMs: number): void {
    this.#leastMs = Math.min(this.#leastMs, nowMs - sentMs)
    const waitedMs = nowMs - sentMs - this.#leastMs

    // It tells of a limit that holds no more.
    if (sentMs < this.#reducedMs) {
      return
    }

    if (waitedMs > MAX_WAIT_MS) {
      this.#max = Math.max(this.#max / 2, MIN_BULK_IN_FLIGHT)
      this.#reducedMs = nowMs
    } else if (waitedMs <= GROWTH_WAIT_MS) {
      const isFirst = this.#reducedMs === Number.NEGATIVE_INFINITY
      this.#max = Math.min(this.#max + (isFirst ? 1 : 1 / this.#max), MAX_BULK_IN_FLIGHT)
    }
  }
}
