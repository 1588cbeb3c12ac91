import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { type Contestant, isInstalled, OTHERS, WAGGLE } from '../../systems/contestants.ts'
import { measureFloor, measureWatch } from './measure-watch.ts'
import { PLANS } from './plan.ts'
import { type Outcome, resultOf } from './result.ts'

/** How fast a change reaches those who watch, beside another system that tells of changes. */
export const watch: Scenario = {
  name: 'watch',
  title: 'How long a value takes from its store to one who watches the key, on 20 nodes.',
  run
}

/** Every round is a turn of each system, so that what else the machine does meets all of them. */
async function run({ effort, systems, signal, log }: RunOptions): Promise<ScenarioResult> {
  const plan = PLANS[effort]
  const others = OTHERS.filter(
    ({ hasWatch, name }) => hasWatch && (systems?.includes(name) ?? true)
  )
  const contestants = [WAGGLE, ...others]
  const outcome: Outcome = {
    plan,
    floors: { stock: [], layered: [] },
    systems: new Map(contestants.map((each) => [each, []])),
    troubles: []
  }

  for (let round = 1; round <= plan.rounds; round++) {
    log(`round ${round} of ${plan.rounds}: bare streams`)
    outcome.floors.stock.push(await measureFloor('stock', { effort, signal }))
    outcome.floors.layered.push(await measureFloor('layered', { effort, signal }))

    for (const contestant of contestants.filter(isInstalled)) {
      log(`round ${round} of ${plan.rounds}: ${contestant.title}`)
      await turn(outcome, contestant, { effort, signal })
    }
  }

  return resultOf(outcome)
}

/** One that another system doesn't finish is told, and is not the end of the run. */
async function turn(
  { systems, troubles }: Outcome,
  contestant: Contestant,
  options: Pick<RunOptions, 'effort' | 'signal'>
): Promise<void> {
  try {
    systems.get(contestant)?.push(await measureWatch(contestant, options))
  } catch (error) {
    options.signal.throwIfAborted()

    if (contestant === WAGGLE) {
      throw error
    }

    const [reason] = String(error).split('\n')
    troubles.push(`${contestant.title} did not finish a turn: ${reason}`)
  }
}
