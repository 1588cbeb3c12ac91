import type { Layers } from '../../floor/bare-node.ts'
import { FloorNetwork } from '../../floor/floor-network.ts'
import type { Effort } from '../../interface.ts'
import type { Contestant } from '../../systems/contestants.ts'
import { Network } from '../../systems/network.ts'
import type { Measured } from '../../workload/drive.ts'
import { KeyNumbers } from '../../workload/key-numbers.ts'
import { PLANS, type Plan } from './plan.ts'

const RUN_TIMEOUT_MS = 120_000

/** What is the least that a change can cost: a request to five peers at once, of which one answers the watcher. */
export interface FloorRound {
  readonly roundTrip: Measured
  readonly fanOut: Measured
}

interface MeasureOptions {
  readonly effort: Effort
  readonly signal: AbortSignal
}

/** Starts a network of the system, and measures how long changes take to those who watch. */
export async function measureWatch(
  contestant: Contestant,
  { effort, signal }: MeasureOptions
): Promise<Measured> {
  const { nodesOfProcesses, ...plan } = PLANS[effort]
  const network = await Network.start({ contestant, nodesOfProcesses, signal })

  try {
    const params = { keys: new KeyNumbers().take(plan.keys), warmUp: warmUpOf(contestant, plan) }
    return await network.client.call('watch', params, RUN_TIMEOUT_MS)
  } finally {
    await network.stop()
  }
}

/** Starts bare nodes, and measures what their requests take. */
export async function measureFloor(
  layers: Layers,
  { effort, signal }: MeasureOptions
): Promise<FloorRound> {
  const { floorRequests: count } = PLANS[effort]
  const network = await FloorNetwork.start({ layers, effort, signal })

  /** The first time is the warm-up. */
  const measure = async (operation: 'stream' | 'fan-out'): Promise<Measured> => {
    await network.run(operation, { count, inFlight: 1 })
    return network.run(operation, { count, inFlight: 1 })
  }

  try {
    return { roundTrip: await measure('stream'), fanOut: await measure('fan-out') }
  } finally {
    await network.stop()
  }
}

/** Once at least, so that it is certain that everybody listens. */
function warmUpOf({ isBestFresh }: Contestant, { warmUp }: Pick<Plan, 'warmUp'>): number {
  return isBestFresh ? 1 : warmUp
}
