import type { Scenario } from './result/result.ts'
import { chaos } from './scenarios/chaos/chaos.ts'
import { churn } from './scenarios/churn/churn.ts'
import { cold } from './scenarios/cold/cold.ts'
import { fewChurn } from './scenarios/connections/few-churn.ts'
import { fewLiars } from './scenarios/connections/few-liars.ts'
import { fewPartition } from './scenarios/connections/few-partition.ts'
import { costs } from './scenarios/costs/costs.ts'
import { endurance } from './scenarios/endurance.ts'
import { frozen } from './scenarios/frozen.ts'
import { growth } from './scenarios/growth/growth.ts'
import { handover } from './scenarios/handover/handover.ts'
import { hivemind } from './scenarios/hivemind/hivemind.ts'
import { hot } from './scenarios/hot/hot.ts'
import { liars } from './scenarios/liars/liars.ts'
import { links } from './scenarios/links/links.ts'
import { memory } from './scenarios/memory.ts'
import { partition } from './scenarios/partition.ts'
import { peers } from './scenarios/peers/peers.ts'
import { presence } from './scenarios/presence.ts'
import { revalidation } from './scenarios/revalidation.ts'
import { soak } from './scenarios/soak/soak.ts'
import { subkeys } from './scenarios/subkeys.ts'
import { wan } from './scenarios/wan/wan.ts'
import { watch } from './scenarios/watch.ts'

/** All scenarios, in the order in which they run and are reported. */
export const scenarios: readonly Scenario[] = [
  ...[
    peers,
    watch,
    hot,
    presence,
    subkeys,
    revalidation,
    memory,
    cold,
    costs,
    hivemind,
    wan,
    growth,
    liars
  ],
  ...[
    endurance,
    churn,
    partition,
    fewChurn,
    fewPartition,
    fewLiars,
    handover,
    links,
    frozen,
    chaos,
    soak
  ]
]
