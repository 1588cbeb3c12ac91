export interface TokenBucketOptions {
  /** Tokens that accrue per second. */
  readonly perSecond: number

  /**
   * Maximum number of saved tokens.
   *
   * @default perSecond
   */
  readonly burst?: number

  /** Milliseconds of a monotonic clock. */
  readonly nowMs?: () => number
}

/**
 * Limits a rate. The bucket starts full. A request larger than the remaining tokens can overdraw it once, so large
 * requests are delayed by those before them and never starve.
 */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  readonly #nowMs: () => number
  #tokens: number
  #atMs: number

  constructor({
    perSecond,
    burst = perSecond,
    nowMs = () => performance.now()
  }: TokenBucketOptions) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#nowMs = nowMs
    this.#tokens = burst
    this.#atMs = nowMs()
  }

  /** Tokens left; negative while the bucket is overdrawn. */
  get tokens(): number {
    const nowMs = this.#nowMs()

    if (nowMs === this.#atMs) {
      return this.#tokens
    }

    const accrued = ((nowMs - this.#atMs) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#tokens + accrued, this.#burst)
    this.#atMs = nowMs
    return this.#tokens
  }

  /** Milliseconds until the bucket is no longer overdrawn. */
  get lackMs(): number {
    return Math.max(0, -this.tokens / this.#perSecond) * 1000
  }

  /** Takes tokens even if too few are left. */
  take(count: number): void {
    this.#tokens = this.tokens - count
  }

  /** Takes tokens if at least `least` are left. Returns whether it did. */
  tryTake(count: number, least = 0): boolean {
    const isEnough = this.tokens >= least

    if (isEnough) {
      this.#tokens -= count
    }

    return isEnough
  }
}
