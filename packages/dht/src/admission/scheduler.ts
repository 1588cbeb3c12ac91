import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { FairQueue } from './fair-queue.ts'
import { RateLimits, type Rates } from './rate-limits.ts'

/**
 * What a node has for the peers that ask it: turns, and as many keys as their rates allow. All
 * protocols share it, so that no peer gets more by speaking several of them.
 */
export class Scheduler {
  readonly work: FairQueue = new FairQueue()
  readonly admission: RateLimits

  constructor(rates: Rates = DEFAULT_NODE_LIMITS) {
    this.admission = new RateLimits(rates)
  }
}
