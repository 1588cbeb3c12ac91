import { BoundedMap } from '../collections/bounded-map.ts'
import { TokenBucket } from './token-bucket.ts'

/** Keys that one peer, and all peers, may request per second. */
export interface Rates {
  readonly maxKeysPerSecondPerPeer: number
  readonly maxKeysPerSecond: number
}

/** Peers whose rates are remembered. A forgotten peer begins with one second's worth. */
const MAX_REMEMBERED = 4096

/** Milliseconds over which keys are counted when the total rate is exceeded. */
const WINDOW_MS = 1000

interface Use {
  readonly left: TokenBucket

  /** The window of the peer's last request, and the keys that it requested in it. */
  window: number
  keys: number
}

/**
 * Limits the rate of requested keys, of each peer and in total. When the total is exceeded, peers that had less
 * than an equal part continue, so a flood of one peer does not delay them.
 */
export class RateLimits {
  readonly #rates: Rates
  readonly #nowMs: () => number

  /** Current time, read once for all buckets of a request. */
  #atMs: number
  readonly #clock = (): number => this.#atMs
  readonly #all: TokenBucket
  readonly #peers = new BoundedMap<string, Use>({ maxSize: MAX_REMEMBERED })
  #window = 0

  /** Peers with requests in this window, and in the one before. */
  #asking = 0
  #asked = 0

  constructor(rates: Rates, nowMs: () => number = () => performance.now()) {
    this.#rates = rates
    this.#nowMs = nowMs
    this.#atMs = nowMs()
    this.#all = new TokenBucket({ perSecond: rates.maxKeysPerSecond, nowMs: this.#clock })
  }

  /** Returns whether the peer may request this many keys now, and counts them if so. */
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

  /** Keys that each peer may request in a window in which the total is exceeded. */
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
    return this.#peers.getOrAdd(peer, () => {
      const perSecond = this.#rates.maxKeysPerSecondPerPeer
      return { left: new TokenBucket({ perSecond, nowMs: this.#clock }), window: -1, keys: 0 }
    })
  }
}
