import { BoundedMap } from '../collections/bounded-map.ts'
import { TokenBucket } from './token-bucket.ts'

/** Keys that may be asked for in a second, by one peer and by all. */
export interface Rates {
  readonly maxKeysPerSecondPerPeer: number
  readonly maxKeysPerSecond: number
}

/** Peers whose rates are remembered. A forgotten peer begins with a second's worth. */
const MAX_REMEMBERED = 4096

/** Limits the keys that peers ask for, peer by peer and in all. */
export class RateLimits {
  readonly #perPeer: number
  readonly #nowMs: () => number

  /** The time, read once for all buckets that a request concerns. */
  #atMs: number
  readonly #clock = (): number => this.#atMs
  readonly #all: TokenBucket
  readonly #peers = new BoundedMap<string, TokenBucket>({ maxSize: MAX_REMEMBERED })

  constructor(rates: Rates, nowMs: () => number = () => performance.now()) {
    this.#perPeer = rates.maxKeysPerSecondPerPeer
    this.#nowMs = nowMs
    this.#atMs = nowMs()
    this.#all = new TokenBucket({ perSecond: rates.maxKeysPerSecond, nowMs: this.#clock })
  }

  /** Says whether the peer may ask for so many keys now, and counts them if it may. */
  admits(peer: string, keys: number): boolean {
    this.#atMs = this.#nowMs()
    const own = this.#bucketOf(peer)

    if (own.tokens < 0 || this.#all.tokens < 0) {
      return false
    }

    own.take(keys)
    this.#all.take(keys)
    return true
  }

  #bucketOf(peer: string): TokenBucket {
    const known = this.#peers.touch(peer)

    if (known !== undefined) {
      return known
    }

    const bucket = new TokenBucket({ perSecond: this.#perPeer, nowMs: this.#clock })
    this.#peers.set(peer, bucket)
    return bucket
  }
}
