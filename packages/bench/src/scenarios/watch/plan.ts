import type { Effort } from '../../interface.ts'

/** How much is measured. */
export interface Plan {
  /** In each, every system has its turn. */
  readonly rounds: number

  /** How many servers each process has. */
  readonly nodesOfProcesses: readonly number[]

  /** Keys that are watched, with one measured change of each. */
  readonly keys: number

  /** Changes of each key before, unmeasured. */
  readonly warmUp: number

  /** Requests of bare streams, of each kind. */
  readonly floorRequests: number
}

/** What each effort means for this scenario. */
export const PLANS: Readonly<Record<Effort, Plan>> = {
  full: { rounds: 3, nodesOfProcesses: [5, 5, 5, 5], keys: 200, warmUp: 5, floorRequests: 2_000 },
  quick: { rounds: 1, nodesOfProcesses: [3, 2], keys: 3, warmUp: 1, floorRequests: 10 }
}
