import type { RunOptions, Scenario, ScenarioResult } from '../interface.ts'
import { type Contestant, contestants, isInstalled, WAGGLE } from '../systems/contestants.ts'
import { type FloorRound, measureFloor } from './peers/measure-floor.ts'
import { measureSystem, type SystemRound } from './peers/measure-system.ts'
import { measureVanishing, type VanishingRound } from './peers/measure-vanishing.ts'
import { PLANS } from './peers/plan.ts'
import { resultOf } from './peers/result.ts'

/** Waggle and other systems, side by side. */
export const peers: Scenario = {
  name: 'peers',
  title: 'One key at a time, many at once, and in bulk, on 20 nodes: Waggle beside other systems.',
  run
}

/**
 * Every round is a turn of each system, so that what else the machine does meets all of them. The
 * floor is measured before and after Waggle's turn: it is what Waggle is held against.
 */
async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const options = { plan: PLANS[effort], signal }
  const { rounds } = options.plan
  const systems = new Map<Contestant, SystemRound[]>(contestants.map((each) => [each, []]))
  const present = contestants.filter(isInstalled)
  const floors: FloorRound[] = []
  const vanished: VanishingRound[] = []

  for (let round = 1; round <= rounds; round++) {
    for (const contestant of present) {
      log(`round ${round} of ${rounds}: ${contestant.title}`)
      const isWaggle = contestant === WAGGLE

      if (isWaggle) {
        floors.push(await measureFloor(options))
      }

      systems.get(contestant)?.push(await measureSystem(contestant, options))

      if (isWaggle) {
        floors.push(await measureFloor(options))
        vanished.push(await measureVanishing(options))
      }
    }
  }

  return resultOf({ plan: options.plan, floors, systems, vanished })
}
