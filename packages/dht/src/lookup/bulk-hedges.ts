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
  readonly #inFlight = new Set<Request>()
  readonly #waiting = new Set<Run>()
  #max: number = FIRST_BULK_HEDGES
  #respondedMs: number = Number.NEGATIVE_INFINITY

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

  /**
   * Stops counting a request to a peer that has become a suspect, too: there may be yet others. Returns whether the
   * request counted.
   */
  release(request: Request): boolean {
    return this.#inFlight.delete(request)
  }

  /** Takes note of a response or a failure. Returns whether the request counted. */
  settle(request: Request, hasResponded: boolean): boolean {
    const isHedge = this.#inFlight.delete(request)
    // Its lookup goes on, or has ended.
    this.#waiting.delete(request.run)

    if (isHedge && hasResponded) {
      this.#max++
      this.#respondedMs = performance.now()
    }

    return isHedge
  }

  /** Takes the lookups that wait. */
  takeWaiting(): readonly Run[] {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    return waiting
  }
}
