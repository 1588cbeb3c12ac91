/** Counts what is dialled because a third peer has named it, so that nobody can send us against others. */
export class DialAllowance {
  readonly #perSecond: number
  readonly #nowMs: () => number
  #left: number
  #atMs: number

  constructor(perSecond: number, nowMs: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#nowMs = nowMs
    this.#left = 2 * perSecond
    this.#atMs = nowMs()
  }

  /** Whether so many addresses may be dialled now. They are counted if they may. */
  takes(addresses: number): boolean {
    const nowMs = this.#nowMs()
    const earned = ((nowMs - this.#atMs) / 1000) * this.#perSecond
    this.#left = Math.min(this.#left + earned, 2 * this.#perSecond)
    this.#atMs = nowMs

    if (this.#left < 1) {
      return false
    }

    this.#left -= addresses
    return true
  }
}
