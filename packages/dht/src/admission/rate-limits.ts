/** How many keys may be asked for in a second, by one peer and by all. */
export interface Rates {
  readonly maxKeysPerSecondPerPeer: number
  readonly maxKeysPerSecond: number
}

/** What is left of one second's worth. */
interface Allowance {
  left: number
  atMs: number
}

/** So many peers' rates are remembered. One that was forgotten begins with a second's worth. */
const MAX_REMEMBERED = 4096

/** Counts what peers ask for, so that none has more than its rate, nor have all together. */
export class RateLimits {
  readonly #rates: Rates
  readonly #nowMs: () => number
  readonly #all: Allowance
  readonly #peers = new Map<string, Allowance>()

  constructor(rates: Rates, nowMs: () => number = () => performance.now()) {
    this.#rates = rates
    this.#nowMs = nowMs
    this.#all = { left: rates.maxKeysPerSecond, atMs: nowMs() }
  }

  /** Whether the peer may ask for so many keys now. They are counted if it may. */
  admits(peer: string, keys: number): boolean {
    const { maxKeysPerSecond, maxKeysPerSecondPerPeer } = this.#rates
    const nowMs = this.#nowMs()
    const own = this.#allowanceOf(peer, nowMs)
    refill(this.#all, maxKeysPerSecond, nowMs)
    refill(own, maxKeysPerSecondPerPeer, nowMs)

    if (own.left < 0 || this.#all.left < 0) {
      return false
    }

    own.left -= keys
    this.#all.left -= keys
    return true
  }

  #allowanceOf(peer: string, nowMs: number): Allowance {
    const known = this.#peers.get(peer)

    if (known !== undefined) {
      return known
    }

    const [oldest] = this.#peers.keys()

    if (this.#peers.size >= MAX_REMEMBERED && oldest !== undefined) {
      this.#peers.delete(oldest)
    }

    const allowance = { left: this.#rates.maxKeysPerSecondPerPeer, atMs: nowMs }
    this.#peers.set(peer, allowance)
    return allowance
  }
}

function refill(allowance: Allowance, perSecond: number, nowMs: number): void {
  const earned = ((nowMs - allowance.atMs) / 1000) * perSecond
  allowance.left = Math.min(allowance.left + earned, perSecond)
  allowance.atMs = nowMs
}
