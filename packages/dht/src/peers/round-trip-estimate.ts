/**
 * The weights of RFC 6298 (§2): the speed at which the mean and the deviation follow, and the number of deviations
 * that count.
 */
const MEAN_WEIGHT = 1 / 8
const DEVIATION_WEIGHT = 1 / 4
const DEVIATIONS = 4

/** A mean and a mean deviation that follow the measured response times. */
export class RoundTripEstimate {
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

  /** Milliseconds after which a response is late. Undefined before the first measurement. */
  get lateAfterMs(): number | undefined {
    return this.#mean === undefined ? undefined : this.#mean + DEVIATIONS * this.#deviation
  }
}
