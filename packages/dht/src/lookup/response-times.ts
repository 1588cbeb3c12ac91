import { HEDGE_MS } from '../constants.ts'
import { RoundTripEstimate } from '../peers/round-trip-estimate.ts'

/** Maximum milliseconds before another peer is queried. */
export const MAX_HEDGE_MS = 1000

/**
 * Round trips of a request that must connect first: TCP, its security and muxer, and a stream (docs/network.md).
 */
const COLD_ROUND_TRIPS = 5

/**
 * Learns peers' response times, and determines when a response is late. A request that must dial first takes
 * several round trips, and does not count as late for that (N10e).
 */
export class ResponseTimes {
  readonly #warm = new RoundTripEstimate()
  readonly #cold = new RoundTripEstimate()

  /** Records a response. */
  record(tookMs: number, isConnected: boolean): void {
    const estimate = isConnected ? this.#warm : this.#cold
    estimate.add(tookMs)
  }

  /** Milliseconds after which a response is late. */
  lateAfterMs(isConnected: boolean): number {
    const warmMs = this.#warm.lateAfterMs ?? HEDGE_MS
    const coldMs = this.#cold.lateAfterMs ?? COLD_ROUND_TRIPS * (this.#warm.lateAfterMs ?? HEDGE_MS)
    const lateMs = isConnected ? warmMs : Math.max(warmMs, coldMs)
    return Math.min(Math.max(lateMs, HEDGE_MS), MAX_HEDGE_MS)
  }
}
