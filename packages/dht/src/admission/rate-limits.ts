import { BoundedMap } from '../collections/bounded-map.ts'
import { TokenBucket } from './token-bucket.ts'

/** Keys that may be asked for in a second, by one peer and by all. */
export interface Rates {
  readonly maxKeysPerSecondPerPeer: number
  readonly maxKeysPerSecond: number
}

/** Peers whose rates are remembered. A forgotten peer begins with a second's worth. */
const MAX_REMEMBERED = 4096

/** Time over which keys are counted when there are not enough for all, in ms. */
const WINDOW_MS = 1000

interface Use {
  readonly left: TokenBucket

  /** The window in which the peer asked last, and the keys that it asked for in it. */
  window: number
  keys: number
}

/**
 * Limits the keys that peers ask for, peer by peer and in all. When all together ask for too many, those
 * that have had less than an equal part of them go on: others' floods are not theirs to wait for.
 */
export class RateLimits {
  readonly #rates: Rates
  readonly #nowMs: () => number

  /** The time, read once for all buckets that a request concerns. */
  #atMs: number
  readonly #clock = (): number => this.#atMs
  readonly #all: TokenBucket
  readonly #peers = new BoundedMap<string, Use>({ maxSize: MAX_REMEMBERED })
  #window = 0

  /** Peers that have asked in this window, and in the one before. */
  #asking = 0
  #asked = 0

  constructor(rates: Rates, nowMs: () => number = () => performance.now()) {
    this.#rates = rates
    this.#nowMs = nowMs
    this.#atMs = nowMs()
    this.#all = new TokenBucket({ perSecond: rates.maxKeysPerSecond, nowMs: this.#clock })
  }

  /** Says whether the peer may ask for so many keys now, and counts them if it may. */
  admits(peer: string, keys: number): boolean {
    this.#atMs = this.#nowMs()
    const use = this.#useOf(peer)
    this.#keepWindow(use)

    if (use.left.tokens < 0 || (this.#all.tokens < 0 && use.keys >= this.#part)) {
      return false
    }

    use.left.take(keys)
    use.keys += keys
    this.#all.take(keys)
    return true
  }

  /** Keys that each peer may ask for in a window in which all ask for too many. */
  get #part(): number {
    return this.#rates.maxKeysPerSecond / Math.max(this.#asking, this.#asked)
  }

  #keepWindow(use: Use): void {
    const window = Math.floor(this.#atMs / WINDOW_MS)

    if (window !== this.#window) {
      this.#asked = window === this.#window + 1 ? this.#asking : 0
      this.#asking = 0
      this.#window = window
    }

    if (use.window !== window) {
      use.window = window
      use.keys = 0
      this.#asking++
    }
  }

  #useOf(peer: string): Use {
    const known = this.#peers.touch(peer)

    if (known !== undefined) {
      return known
    }

    const left = new TokenBucket({
      perSecond: this.#rates.maxKeysPerSecondPerPeer,
      nowMs: this.#clock
    })
    const use = { left, window: -1, keys: 0 }
    this.#peers.set(peer, use)
    return use
  }
}
