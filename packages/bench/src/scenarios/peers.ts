import type { RunOptions, Scenario, ScenarioResult } from '../interface.ts'
import { type Contestant, contestants } from '../systems/contestants.ts'
import { type FloorRound, measureFloor } from './peers/measure-floor.ts'
import { measureSystem, type SystemRound } from './peers/measure-system.ts'
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
  const plan = PLANS[effort]
  const systems = new Map<Contestant, SystemRound[]>(contestants.map((each) => [each, []]))
  const floors: FloorRound[] = []

  for (let round = 1; round <= plan.rounds; round++) {
    for (const [contestant, rounds] of systems) {
      log(`peers: round ${round} of ${plan.rounds}: ${contestant.title}`)

      if (contestant.name === 'waggle') {
        floors.push(await measureFloor({ plan, signal }))
      }

      rounds.push(await measureSystem(contestant, { plan, signal }))

      if (contestant.name === 'waggle') {
        floors.push(await measureFloor({ plan, signal }))
      }
    }
  }

  return resultOf({ plan, floors, systems })
}
