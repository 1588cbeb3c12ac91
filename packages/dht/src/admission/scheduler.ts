import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { CpuShares } from './cpu-shares.ts'
import { FairQueue } from './fair-queue.ts'
import { RateLimits, type Rates } from './rate-limits.ts'

/** Milliseconds that a peer beyond its rate has to wait. */
export const BUSY_PAUSE_MS = 20

/**
 * Schedules peers' requests in fair turns and within their rates. All protocols share one, so a peer gains nothing
 * by using several.
 */
export class Scheduler {
  readonly work: FairQueue
  readonly admission: RateLimits

  constructor(rates: Rates = DEFAULT_NODE_LIMITS, shares: CpuShares = new CpuShares()) {
    this.work = new FairQueue(shares)
    this.admission = new RateLimits(rates)
  }
}
