import { HEDGE_MS } from '../constants.ts'

/** Milliseconds after which another peer is asked at the latest. */
export const MAX_HEDGE_MS = 1000

/** Round trips of a request that has to connect first: TCP, its security and muxer, and a stream (docs/network.md). */
const COLD_ROUND_TRIPS = 5

/** The weights of RFC 6298 (§2): how fast the mean and the deviation follow, and how many deviations count. */
const MEAN_WEIGHT = 1 / 8
const DEVIATION_WEIGHT = 1 / 4
const DEVIATIONS = 4

/**
 * Learns how long peers take to respond, and says from when on a response is late. A request to a
 * peer that has to be dialled first takes several round trips, and is not late for that (N10e).
 */
export class ResponseTimes {
  readonly #warm = new Estimate()
  readonly #cold = new Estimate()

  /** Takes note of a response. */
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

/** A mean and a mean deviation that follow what is measured. */
class Estimate {
  #mean: number | undefined
  #deviation = 0

  add(ms: number): void {
    if (this.#mean === undefined) {
      this.#mean = ms
      this.#deviation = ms / 2
      return
    }

    this.#deviation += DEVIATION_WEIGHT * (Math.abs(ms - this.#mean) - this.#deviation)
    this.#mean += MEAN_WEIGHT * (ms - this.#mean)
  }

  /** Undefined while nothing was measured. */
  get lateAfterMs(): number | undefined {
    return this.#mean === undefined ? undefined : this.#mean + DEVIATIONS * this.#deviation
  }
}
