import { recordKey } from '@waggle/record'
import { any, type Random, seededRandom } from '../workload/random.ts'
import { meanOf, summaryOf } from '../workload/statistics.ts'
import { NUM_REPLICAS, type SimulatedClient, simulatedClient } from './client.ts'
import { type NetworkPlan, SimulatedNetwork } from './network.ts'
import { type Cost, Rounds } from './rounds.ts'

/** Costs of operations, and the placement of records after a store. */
export type SimulatedFigures = Awaited<ReturnType<typeof simulate>>

/** Kinds of load: all keys alike, or the n-th key 1/n as often as the first (Zipf). */
export type KeyChoice = 'uniform' | 'Zipf'

export interface SimulationPlan extends NetworkPlan {
  readonly choice: KeyChoice
  readonly operations: number
}

/** Seed that makes all runs simulate the same networks. */
const SEED = 1

/** Busy clients that take turns. */
const CLIENTS = 50

/** Gets for each store. */
const GETS = 3

/** Stores each key once; then clients store and get random keys. */
export async function simulate({ choice, operations, ...plan }: SimulationPlan) {
  const random = seededRandom(SEED)
  const network = new SimulatedNetwork(plan, random)
  const rounds = new Rounds()
  const clients = Array.from({ length: CLIENTS }, () => simulatedClient(network, rounds))
  const keys = Array.from({ length: operations }, (_, i) => `key ${i}`)
  const costs: Record<'get' | 'store', Cost[]> = { get: [], store: [] }
  const run = (operate: (client: SimulatedClient) => Promise<unknown>) =>
    rounds.cost(() => operate(any(clients, random)))

  for (const key of keys) {
    await run((client) => client.store(key))
  }

  const placed = keys.map((key) => placesOf(network, recordKey(key)))
  const draw = drawing(keys, choice, random)
  let right = 0

  for (let i = 0; i < operations; i++) {
    costs.store.push(await run((client) => client.store(draw())))

    for (let j = 0; j < GETS; j++) {
      costs.get.push(
        await run(async (client) => {
          right += Number(await client.get(draw()))
        })
      )
    }
  }

  return {
    ...{ ...plan, choice },
    get: { ...summaryOfCosts(costs.get), right: `${right} of ${costs.get.length}` },
    store: { ...summaryOfCosts(costs.store), right: null },

    /** Mean number of nodes that hold a record, and the share of the five nearest ones among them. */
    copies: meanOf(placed.map(({ copies }) => copies)),
    nearestShare: meanOf(placed.map(({ share }) => share))
  }
}

function summaryOfCosts(costs: readonly Cost[]) {
  return {
    messages: meanOf(costs.map(({ messages }) => messages)),
    dials: meanOf(costs.map(({ dials }) => dials)),
    hops: summaryOf(costs.map(({ hops }) => hops))
  }
}

function placesOf(network: SimulatedNetwork, key: Uint8Array) {
  const holders = network.holdersOf(key)
  const nearest = network.trulyNearest(key, NUM_REPLICAS)
  const held = nearest.filter((node) => holders.has(node)).length
  return { copies: holders.size, share: held / nearest.length }
}

function drawing(keys: readonly string[], choice: KeyChoice, random: Random): () => string {
  const bounds: number[] = []

  for (const i of keys.keys()) {
    bounds.push((bounds.at(-1) ?? 0) + (choice === 'uniform' ? 1 : 1 / (i + 1)))
  }

  return () => {
    const drawn = random() * (bounds.at(-1) ?? 0)
    return keys[bounds.findIndex((bound) => drawn < bound)] as string
  }
}
