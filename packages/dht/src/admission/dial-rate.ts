import { TokenBucket } from './token-bucket.ts'

/** Makes the bucket of dials to addresses from other peers (N9h), with a burst of two seconds' worth. */
export function dialRate(perSecond: number, nowMs?: () => number): TokenBucket {
  return new TokenBucket({ perSecond, burst: 2 * perSecond, ...(nowMs && { nowMs }) })
}
