import { recordKey } from '@waggle/record'
import { FEW_CONNECTIONS } from '../../nodes/memory-node.ts'
import { Child, nodeCommand } from '../../processes/child.ts'
import { atLeast, goal, same, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { simulatedClient } from '../../simulation/client.ts'
import { SimulatedNetwork, type SimulatedNode } from '../../simulation/network.ts'
import { Rounds } from '../../simulation/rounds.ts'
import { type Random, sample, seededRandom } from '../../workload/random.ts'
import { LIES, type Lie } from './lies.ts'
import type { LiarsHandlers } from './network-main.ts'

export const liars: Scenario = {
  name: 'liars',
  title: 'Reads of honest peers while others lie.',
  run
}

/** Nodes, shares of them that lie, and records that are stored twice and read; nodes and keys of the simulation. */
const SIZES = {
  full: {
    ...{ nodes: 64, shares: [0, 0.1, 0.2, 0.3, 0.4, 0.5], reads: 500 },
    ...{ simulated: 1000, keys: 500 }
  },
  quick: { nodes: 8, shares: [0, 0.3], reads: 20, simulated: 64, keys: 20 }
}

type Sizes = typeof SIZES.full

/** Share of liars up to which the goals hold, and the minimum share of right reads. */
const MAX_LIARS = 0.3
const MIN_RIGHT = 0.99

/** Shares of attackers anywhere in the simulated network, and numbers of attackers nearest to each key. */
const ATTACKER_SHARES = [0.1, 0.3, 0.5, 0.7, 0.9]
const NEAREST_ATTACKERS = [1, 2, 3, 4, 5, 10]
const TIMEOUT_MS = 3_600_000

type Figures = Awaited<ReturnType<LiarsHandlers['measure']>> & { lie: Lie; share: number }

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const figures: Figures[] = []

  for (const lie of LIES) {
    const command = nodeCommand(new URL('network-main.ts', import.meta.url))
    await using network = new Child<LiarsHandlers>(command, { signal, timeoutMs: TIMEOUT_MS })
    await network.call('start', { count: sizes.nodes, connections: FEW_CONNECTIONS })

    for (const share of sizes.shares) {
      const load = { lie, count: Math.round(share * sizes.nodes), reads: sizes.reads }
      figures.push({ lie, share, ...(await network.call('measure', load)) })
    }

    log(`${lie}: ${figures.filter((each) => each.lie === lie).map(({ right }) => right)}`)
  }

  const anywhere = ATTACKER_SHARES.map((share): [string, Choose] => [
    `${100 * share} % of all nodes`,
    (network, random) => {
      const attackers = sample(network.nodes, Math.round(share * sizes.simulated), random)
      return () => attackers
    }
  ])
  const nearest = NEAREST_ATTACKERS.map((count): [string, Choose] => [
    `${count} nearest to the key`,
    (network) => (key) => network.trulyNearest(recordKey(key), count)
  ])
  const eclipses = await Array.fromAsync([...anywhere, ...nearest], ([attackers, choose]) =>
    eclipse(sizes, attackers, choose)
  )
  return resultOf(sizes, figures, eclipses)
}

/** Chooses the attackers of a network; returns those that a key meets. */
type Choose = (
  network: SimulatedNetwork,
  random: Random
) => (key: string) => readonly SimulatedNode[]
type Eclipse = Awaited<ReturnType<typeof eclipse>>

/** Simulates attackers that accept everything, hold nothing, and list only each other; counts the readable keys. */
async function eclipse({ simulated: size, keys }: Sizes, attackers: string, choose: Choose) {
  const random = seededRandom(5)
  const network = new SimulatedNetwork({ size, shape: 'waggle', deadShare: 0 }, random)
  const attackersOf = choose(network, random)
  const rounds = new Rounds()
  let read = 0

  for (let i = 0; i < keys; i++) {
    const key = `key ${i}`
    const client = () => simulatedClient(network, rounds, attackersOf(key))
    await rounds.cost(() => client().store(key))
    await rounds.cost(async () => {
      read += Number(await client().get(key, { latest: true }))
    })
  }

  return { attackers, share: (100 * read) / keys, keys }
}

function resultOf(
  { nodes, reads, simulated, keys }: Sizes,
  figures: readonly Figures[],
  eclipses: readonly Eclipse[]
): ScenarioResult {
  return {
    notes: [
      `Real: ${nodes} whole nodes in one process, connected in memory, each with 16 servers at most. Random nodes are liars of one kind: silent ones never reply to a request; forgetful ones accept everything and hold nothing; stale ones accept everything and reply with the first value; forging ones reply with the last value under a later expiration and its old signature. Liars name only other liars. An honest node stores a value under a key that it owns, and then another one; another honest node reads it with \`latest\` as its first read of the key. ${reads} records for each row.`,
      `Simulated: the same code for lookups and stores against ${simulated} nodes with full routing tables, ${keys} keys. An attacker's nodes accept everything, hold nothing, and name only each other. An id costs only the hashing until it is nearer to a key than others: about n attempts in a network of n nodes.`
    ],
    tables: [
      tableOf('Reads with `latest` among liars', figures, {
        liars: 'lie',
        'share (%)': ({ share }) => Math.round(share * 100),
        'right (%)': ({ right }) => (100 * right) / reads,
        ...same('older', 'missing', 'forged', 'reads')
      }),
      tableOf('Reads among simulated attackers', eclipses, {
        ...{ attackers: 'attackers', 'read (%)': 'share', keys: 'keys' }
      })
    ],
    goals: LIES.map((lie) => {
      const counted = figures.filter((each) => each.lie === lie && each.share <= MAX_LIARS)
      return goal(
        `up to 30 % ${lie} liars: at least 99 % of reads with latest are right`,
        Math.min(...counted.map(({ right }) => right / reads)),
        atLeast(MIN_RIGHT),
        (share) => `${figure(100 * share)} % at worst`
      )
    })
  }
}
