import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { FairQueue } from './fair-queue.ts'
import { RateLimits, type Rates } from './rate-limits.ts'

/**
 * Schedules the requests of peers: in turns, and within their rates. All protocols share one, so
 * that a peer gets no more by using several of them.
 */
export class Scheduler {
  readonly work: FairQueue = new FairQueue()
  readonly admission: RateLimits

  constructor(rates: Rates = DEFAULT_NODE_LIMITS) {
    this.admission = new RateLimits(rates)
  }
}
