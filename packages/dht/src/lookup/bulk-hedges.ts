import type { Request, Run } from './lookup-run.ts'

/** Bulk requests in flight to others than suspects until one is answered. */
export const FIRST_BULK_HEDGES = 32

/** Milliseconds without a response after which others may not answer, either. */
const SILENCE_MS = 1000

/**
 * Limits the bulk that others than suspects are asked for in their place. If this node's own line is down, all peers
 * seem to be suspects, and all of them would send the same later. So a few keys find out, and with each response more
 * follow (slow start, RFC 5681).
 */
export class BulkHedges {
  readonly #schedule: (run: Run) => void
  readonly #inFlight = new Set<Request>()
  readonly #released = new WeakSet<Request>()
  readonly #waiting = new Set<Run>()
  #max: number = FIRST_BULK_HEDGES
  #respondedMs: number = Number.NEGATIVE_INFINITY

  /** @param schedule - has a lookup choose its next peers */
  constructor(schedule: (run: Run) => void) {
    this.#schedule = schedule
  }

  /** Whether a lookup may ask another peer. If not, it waits. One suspect at a time is enough. */
  admits(run: Run, isSuspect: boolean): boolean {
    if (this.#inFlight.size === 0 && performance.now() - this.#respondedMs > SILENCE_MS) {
      this.#max = FIRST_BULK_HEDGES
    }

    const isAdmitted = !isSuspect && this.#inFlight.size < this.#max

    if (!isAdmitted) {
      this.#waiting.add(run)
    }

    return isAdmitted
  }

  /** Counts a request. */
  add(request: Request): void {
    this.#inFlight.add(request)
  }

  /** Counts a request no longer, since its peer is a suspect, too: yet others may respond. */
  release(request: Request): void {
    if (this.#inFlight.delete(request)) {
      this.#released.add(request)
      this.#max = Math.max(FIRST_BULK_HEDGES, this.#max - 1)
      this.resume()
    }
  }

  /** Takes note of a response or a failure. */
  settle(request: Request, hasResponded: boolean): void {
    const isHedge = this.#inFlight.delete(request) || this.#released.delete(request)
    // Its lookup goes on, or has ended.
    this.#waiting.delete(request.run)

    if (isHedge && hasResponded) {
      this.#max++
      this.#respondedMs = performance.now()
    }

    if (isHedge) {
      this.resume()
    }
  }

  /** Has the waiting lookups try again. */
  resume(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()

    for (const run of waiting) {
      this.#schedule(run)
    }
  }
}
