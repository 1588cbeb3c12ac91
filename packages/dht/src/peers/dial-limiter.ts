import { TokenBucket } from '../admission/token-bucket.ts'

/** Limits dials to addresses that only a third peer has named, so that no peer can direct this node against others. */
export class DialAllowance {
  readonly #bucket: TokenBucket

  /** Twice the rate may be saved up. */
  constructor(perSecond: number, nowMs: () => number = () => performance.now()) {
    this.#bucket = new TokenBucket({ perSecond, burst: 2 * perSecond, nowMs })
  }

  /** Says whether so many addresses may be dialled now, and counts them if they may. */
  takes(addresses: number): boolean {
    return this.#bucket.tryTake(addresses, 1)
  }
}
