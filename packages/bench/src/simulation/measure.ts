import { recordKey } from '@waggle/record'
import { seededRandom } from '../workload/random.ts'
import { meanOf, summaryOf } from '../workload/statistics.ts'
import { NUM_REPLICAS, type SimulatedClient, simulatedClient } from './client.ts'
import { type NetworkPlan, SimulatedNetwork } from './network.ts'
import { Rounds } from './rounds.ts'

/** Costs of operations, and where records are after a store. */
export type SimulatedFigures = Awaited<ReturnType<typeof simulate>>

/** Makes all runs simulate the same networks. */
const SEED = 1

/** Stores and gets keys, each operation from a client of its own. */
export async function simulate(plan: NetworkPlan & { operations: number }) {
  const network = new SimulatedNetwork(plan, seededRandom(SEED))
  const rounds = new Rounds()
  const keys = Array.from({ length: plan.operations }, (_, i) => `key ${i}`)
  const measure = async (operate: (client: SimulatedClient, key: string) => Promise<boolean>) => {
    let right = 0
    const costs = await Array.fromAsync(keys, (key) => {
      const client = simulatedClient(network, rounds)
      return rounds.cost(async () => {
        right += Number(await operate(client, key))
      })
    })

    return {
      messages: meanOf(costs.map(({ messages }) => messages)),
      hops: summaryOf(costs.map(({ hops }) => hops)),
      right: `${right} of ${keys.length}`
    }
  }
  const store = await measure(async (client, key) => {
    await client.store(key)
    return true
  })
  const get = await measure((client, key) => client.get(key))
  const placed = keys.map((key) => {
    const bytes = recordKey(key)
    const holders = network.holdersOf(bytes)
    const nearest = network.trulyNearest(bytes, NUM_REPLICAS)
    const held = nearest.filter((node) => holders.has(node)).length
    return { copies: holders.size, share: held / nearest.length }
  })

  return {
    ...plan,
    get,
    store,

    /** Nodes that hold a record, on average, and the share of the five nearest ones that do. */
    copies: meanOf(placed.map(({ copies }) => copies)),
    nearestShare: meanOf(placed.map(({ share }) => share))
  }
}
