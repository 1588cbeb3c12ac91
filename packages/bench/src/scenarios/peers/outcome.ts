import type { Contestant } from '../../systems/contestants.ts'
import type { FloorRounds } from './measure-floor.ts'
import type { SystemRound } from './measure-system.ts'
import type { VanishingRound } from './measure-vanishing.ts'
import type { Plan } from './plan.ts'

/** All that is measured, as it comes. */
export interface Outcome {
  readonly plan: Plan
  readonly floors: FloorRounds[]

  /** What each system did in each round; nothing where it isn't installed. */
  readonly systems: ReadonlyMap<Contestant, SystemRound[]>

  /** What Waggle did where nodes vanished. */
  readonly vanished: VanishingRound[]

  /** What went wrong meanwhile, a sentence each. */
  readonly troubles: string[]
}

/** Nothing yet, of these systems. */
export function emptyOutcome(plan: Plan, contestants: readonly Contestant[]): Outcome {
  return {
    plan,
    floors: [],
    systems: new Map(contestants.map((each) => [each, []])),
    vanished: [],
    troubles: []
  }
}
