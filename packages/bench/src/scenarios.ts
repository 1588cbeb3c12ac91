import type { Scenario } from './interface.ts'
import { churn } from './scenarios/churn/churn.ts'
import { costs } from './scenarios/costs/costs.ts'
import { endurance } from './scenarios/endurance/endurance.ts'
import { floor } from './scenarios/floor/floor.ts'
import { growth } from './scenarios/growth/growth.ts'
import { hivemind } from './scenarios/hivemind/hivemind.ts'
import { liars } from './scenarios/liars/liars.ts'
import { memory } from './scenarios/memory/memory.ts'
import { partition } from './scenarios/partition/partition.ts'
import { peers } from './scenarios/peers/peers.ts'
import { soak } from './scenarios/soak/soak.ts'
import { wan } from './scenarios/wan/wan.ts'
import { watch } from './scenarios/watch/watch.ts'

/** What is run when nothing is named, in that order, in which it is reported, too. */
export const scenarios: readonly Scenario[] = [
  floor,
  peers,
  watch,
  memory,
  costs,
  hivemind,
  wan,
  growth,
  liars
]

/** What takes so long that it has to be asked for. */
export const longScenarios: readonly Scenario[] = [endurance, churn, partition, soak]
