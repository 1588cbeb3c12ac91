/** Round trips of a period. */
const ROUNDS = 3

/**
 * Tells the highest rate, in bytes per millisecond, of the last three to six round trips (after BBR). Lower ones are
 * no news: acks come late where processors are busy, and together where they wait for each other.
 */
export class DeliveryRate {
  /** The highest rates of this period and of the one before. */
  #present = 0
  #earlier = 0
  #rounds = 0

  /** Received bytes at which this round trip ends. */
  #until = 0

  /** Completed periods, whose rates others may compare. */
  #periods = 0

  get highest(): number {
    return Math.max(this.#present, this.#earlier)
  }

  /** The highest rate of the last completed period; 0 if it was the first, in which rates still rose. */
  get settled(): number {
    return this.#periods > 1 ? this.#earlier : 0
  }

  /** Forgets how many periods have been completed, as a new one begins that differs. */
  restart(): void {
    this.#periods = 0
  }

  /**
   * Records a rate. `isLimited`: a larger window would have allowed more, and it is no smaller than it should be, so the
   * rate tells what the path delivers.
   */
  record(rate: number, { isLimited, received, inFlight }: RateSample): void {
    this.#present = Math.max(this.#present, rate)

    if (isLimited && received >= this.#until) {
      this.#until = received + inFlight
      this.#rounds++
    }

    if (this.#rounds === ROUNDS) {
      this.#earlier = this.#present
      this.#present = rate
      this.#rounds = 0
      this.#periods++
    }
  }
}

interface RateSample {
  readonly isLimited: boolean

  /** Bytes received so far, and in flight. */
  readonly received: number
  readonly inFlight: number
}
