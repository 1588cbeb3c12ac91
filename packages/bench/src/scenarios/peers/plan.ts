import type { Effort } from '../../interface.ts'

/** How much is measured. */
export interface Plan {
  readonly effort: Effort

  /** In each, every system has its turn. */
  readonly rounds: number

  /** How many servers each process has. */
  readonly nodesOfProcesses: readonly number[]

  /** Operations of each kind, one by one. */
  readonly oneByOne: number

  /** How many are in flight when they are not one by one. */
  readonly depth: number

  /** Operations of each kind in flight: a burst. More bursts follow until time is up. */
  readonly burst: number
  readonly maxBursts: number
  readonly burstsLimitMs: number
  readonly bulk: readonly number[]

  /** Gets after nodes have failed. */
  readonly afterFailure: number

  /** Unmeasured operations of each kind before: so many, or for so long. */
  readonly warmUp: number

  /** The same for a system that is best when fresh. */
  readonly warmUpFresh: number
  readonly warmUpLimitMs: number
}

/** What each effort means for this scenario. */
export const PLANS: Readonly<Record<Effort, Plan>> = {
  full: {
    effort: 'full',
    rounds: 3,
    nodesOfProcesses: [5, 5, 5, 5],
    oneByOne: 200,
    depth: 50,
    burst: 400,
    maxBursts: 5,
    burstsLimitMs: 2_000,
    bulk: [1_000, 10_000],
    afterFailure: 50,
    warmUp: 3_000,
    warmUpFresh: 20,
    warmUpLimitMs: 3_000
  },
  quick: {
    effort: 'quick',
    rounds: 1,
    nodesOfProcesses: [3, 2],
    oneByOne: 3,
    depth: 5,
    burst: 10,
    maxBursts: 1,
    burstsLimitMs: 500,
    bulk: [20],
    afterFailure: 5,
    warmUp: 3,
    warmUpFresh: 3,
    warmUpLimitMs: 500
  }
}
