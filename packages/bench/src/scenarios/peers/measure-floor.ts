import type { Layers } from '../../floor/bare-node.ts'
import { FloorNetwork } from '../../floor/floor-network.ts'
import type { FloorOperation } from '../../floor/handlers.ts'
import type { Measured } from '../../workload/drive.ts'
import type { MeasureOptions } from './measure-system.ts'

/** What bare streams did beside the systems, in the same minutes. */
export interface FloorRound {
  /** A request to one peer, one by one, and as many in flight as with the systems. */
  readonly roundTrip: Measured
  readonly roundTripInFlight: Measured

  /** A request to five peers at once. */
  readonly fanOut: Measured
  readonly fanOutInFlight: Measured
}

/** Of libp2p as it comes, and with the layers that Waggle puts into it. */
export type FloorRounds = Readonly<Record<Layers, FloorRound>>

/** Bare requests are cheap: this many, times those of the systems, give steady figures. */
const TIMES = 10
const LIMIT_MS = 3_000

/** Starts bare nodes, and measures what is the least that a get or a store can cost. */
export async function measureFloors(options: MeasureOptions): Promise<FloorRounds> {
  return {
    stock: await measureFloor('stock', options),
    layered: await measureFloor('layered', options)
  }
}

async function measureFloor(layers: Layers, { plan, signal }: MeasureOptions): Promise<FloorRound> {
  const network = await FloorNetwork.start({ layers, effort: plan.effort, signal })

  /** The first time is the warm-up. */
  const measure = async (operation: FloorOperation, inFlight: number): Promise<Measured> => {
    const load = { count: TIMES * plan.oneByOne, inFlight, limitMs: LIMIT_MS }
    await network.run(operation, load)
    return network.run(operation, load)
  }

  try {
    return {
      roundTrip: await measure('stream', 1),
      fanOut: await measure('fan-out', 1),
      roundTripInFlight: await measure('coalesced', plan.depth),
      fanOutInFlight: await measure('fan-out coalesced', plan.depth)
    }
  } finally {
    await network.stop()
  }
}
