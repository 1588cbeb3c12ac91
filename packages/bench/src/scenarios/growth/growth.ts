import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { measureReal, type RealFigures, type RealPlan } from './real/measure-real.ts'
import { resultOf } from './result.ts'
import {
  measureSimulated,
  type SimulatedFigures,
  type SimulationPlan
} from './simulated/measure-simulated.ts'
import type { TableShape } from './simulated/routing-tables.ts'

interface Sizes {
  readonly real: readonly number[]
  readonly realPlan: Omit<RealPlan, 'nodes'>
  readonly simulated: readonly number[]
  readonly simulatedOperations: number
}

/**
 * 256 real nodes take one process ten minutes only to connect, nearly all of them to all others. On a
 * machine half as fast they may not come to an end, since kad-dht refreshes its tables meanwhile.
 */
const SIZES: Readonly<Record<RunOptions['effort'], Sizes>> = {
  full: {
    real: [16, 64, 256],
    realPlan: { clients: 4, searches: 25, operations: 4000, idleMs: 40_000, mostIdling: 64 },
    simulated: [16, 64, 256, 1000, 10_000],
    simulatedOperations: 1000
  },
  quick: {
    real: [4],
    realPlan: { clients: 1, searches: 2, operations: 20, idleMs: 500, mostIdling: 4 },
    simulated: [16, 64],
    simulatedOperations: 20
  }
}

const SHAPES: readonly TableShape[] = ['kademlia', 'kad-dht']
const DEAD_SHARES = [0, 0.2]

export const growth: Scenario = {
  name: 'growth',
  title: 'What an operation and a node cost as the network grows',
  run
}

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const {
    real: realSizes,
    realPlan,
    simulated: simulatedSizes,
    simulatedOperations
  } = SIZES[effort]
  const real: RealFigures[] = []
  const missing: string[] = []
  const simulated: SimulatedFigures[] = []

  for (const nodes of realSizes) {
    try {
      real.push(await measureReal({ nodes, ...realPlan }, { signal }))
      log(`measured ${nodes} real nodes`)
    } catch (error) {
      // The machine is too slow for so many: the others count all the same.
      signal.throwIfAborted()
      const problem = `${nodes} real nodes could not be measured: ${error}`
      missing.push(problem)
      log(problem)
    }
  }

  for (const size of simulatedSizes) {
    for (const plan of simulations(size, simulatedOperations)) {
      signal.throwIfAborted()
      simulated.push(await measureSimulated(plan))
    }

    log(`simulated ${size} nodes`)
  }

  const result = resultOf(real, simulated)
  return { ...result, notes: [...result.notes, ...missing] }
}

function simulations(size: number, operations: number): SimulationPlan[] {
  return SHAPES.flatMap((shape) =>
    DEAD_SHARES.map((deadShare) => ({ size, shape, deadShare, operations }))
  )
}
