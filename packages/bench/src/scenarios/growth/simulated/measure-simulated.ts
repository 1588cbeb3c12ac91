import { recordKey } from '@waggle/record'
import { meanOf } from '../../../statistics.ts'
import { seededRandom } from '../../../workload/random.ts'
import { type Cost, Rounds } from './rounds.ts'
import type { TableShape } from './routing-tables.ts'
import { NUM_REPLICAS, type SimulatedClient, simulatedClient } from './simulated-client.ts'
import { SimulatedNetwork } from './simulated-network.ts'

export interface SimulationPlan {
  readonly size: number
  readonly shape: TableShape
  readonly deadShare: number

  /** Of each operation. */
  readonly operations: number
}

export interface SimulatedFigures extends SimulationPlan {
  readonly get: SimulatedOperation
  readonly store: SimulatedOperation
  readonly placement: Placement
}

/** What each of several runs of an operation cost, and how many went right. */
export interface SimulatedOperation {
  readonly costs: readonly Cost[]
  readonly right: number
}

/** Where records are after a store. */
export interface Placement {
  /** How many nodes hold a record, on average. */
  readonly copies: number

  /** Which part of the five nearest nodes holds it. */
  readonly nearestShare: number
}

/** The same networks in each run. */
const SEED = 1

/** Stores keys and gets them, each operation from a client of its own. */
export async function measureSimulated(plan: SimulationPlan): Promise<SimulatedFigures> {
  const network = new SimulatedNetwork({ ...plan, random: seededRandom(SEED) })
  const keys = Array.from({ length: plan.operations }, (_, i) => `key ${i}`)
  const run = { network, rounds: new Rounds() }
  const store = await measure(run, keys, stored)
  const get = await measure(run, keys, (client, key) => client.get(key))

  return { ...plan, get, store, placement: placementOf(network, keys) }
}

function placementOf(network: SimulatedNetwork, keys: readonly string[]): Placement {
  const each = keys.map((key) => {
    const bytes = recordKey(key)
    const holders = network.holdersOf(bytes)
    const nearest = network.trulyNearest(bytes, NUM_REPLICAS)
    const held = nearest.filter((node) => holders.has(node)).length
    return { copies: holders.size, nearestShare: held / nearest.length }
  })

  return {
    copies: meanOf(each.map(({ copies }) => copies)),
    nearestShare: meanOf(each.map(({ nearestShare }) => nearestShare))
  }
}

interface Run {
  readonly network: SimulatedNetwork
  readonly rounds: Rounds
}

async function stored(client: SimulatedClient, key: string): Promise<boolean> {
  await client.store(key)
  return true
}

async function measure(
  { network, rounds }: Run,
  keys: readonly string[],
  operate: (client: SimulatedClient, key: string) => Promise<boolean>
): Promise<SimulatedOperation> {
  const costs: Cost[] = []
  let right = 0

  for (const key of keys) {
    const client = simulatedClient(network, network.client(), rounds)
    costs.push(
      await rounds.cost(async () => {
        right += Number(await operate(client, key))
      })
    )
  }

  return { costs, right }
}
