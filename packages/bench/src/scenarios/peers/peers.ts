import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { type Contestant, isInstalled, OTHERS, WAGGLE } from '../../systems/contestants.ts'
import { measureFloors } from './measure-floor.ts'
import { type MeasureOptions, measureSystem } from './measure-system.ts'
import { measureVanishing } from './measure-vanishing.ts'
import { emptyOutcome, type Outcome } from './outcome.ts'
import { PLANS } from './plan.ts'
import { resultOf } from './result.ts'

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
async function run({ effort, systems, signal, log }: RunOptions): Promise<ScenarioResult> {
  const options = { plan: PLANS[effort], signal }
  const { rounds } = options.plan
  const others = OTHERS.filter(({ name }) => systems?.includes(name) ?? true)
  const outcome = emptyOutcome(options.plan, [WAGGLE, ...others])

  for (let round = 1; round <= rounds; round++) {
    log(`round ${round} of ${rounds}: ${WAGGLE.title} and the floor`)
    await waggleTurn(outcome, options)

    for (const contestant of others.filter(isInstalled)) {
      log(`round ${round} of ${rounds}: ${contestant.title}`)
      await turn(outcome, contestant, options)
    }
  }

  return resultOf(outcome)
}

async function waggleTurn(outcome: Outcome, options: MeasureOptions): Promise<void> {
  outcome.floors.push(await measureFloors(options))
  outcome.systems.get(WAGGLE)?.push(await measureSystem(WAGGLE, options))
  outcome.floors.push(await measureFloors(options))
  outcome.vanished.push(await measureVanishing(options))
}

/** The turn of another system: one that it doesn't finish is told, and is not the end of the run. */
async function turn(
  { systems, troubles }: Outcome,
  contestant: Contestant,
  options: MeasureOptions
): Promise<void> {
  try {
    systems.get(contestant)?.push(await measureSystem(contestant, options))
  } catch (error) {
    options.signal.throwIfAborted()
    const [reason] = String(error).split('\n')
    troubles.push(`${contestant.title} did not finish a turn: ${reason}`)
  }
}
