import { all, atMost, type Columns, goal, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { summaryOf, totalOf } from '../../workload/statistics.ts'
import { measureNetwork, type NetworkFigures, ONE_WAY_MS, SIZES, type Sizes } from './measure.ts'
import type { Timing } from './operations.ts'

/**
 * Round trips of Hivemind in a network of 64, measured on its own code over a network in memory that delays
 * each request. Its bulk calls have 64 keys.
 */
const HIVEMIND_AT_64: Readonly<Record<string, number>> = {
  get: 1.1,
  'get latest': 5.4,
  'get, nothing there': 5.2,
  store: 6.2,
  getMany: 5.6,
  storeMany: 59
}

/** Maximum round trips in a network of 64. */
const GOALS: readonly (readonly [string, number])[] = [
  ['get', 1.2],
  ['store', 2.2],
  ['getMany', 3]
]
const NODES_OF_GOALS = 64

export const wan: Scenario = {
  name: 'wan',
  title: 'Nodes 50 ms apart: round trips that an operation takes.',
  run
}

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const networks: NetworkFigures[] = []

  for (const nodes of sizes.networks) {
    networks.push(await measureNetwork(nodes, sizes, { signal, log }))
  }

  const rows = (which: 'warm' | 'cold') =>
    networks.flatMap((network) => network[which].map((timing) => rowOf(network, timing)))

  return {
    notes: notes(networks),
    tables: [
      tableOf('A client that is already connected', rows('warm'), {
        ...COLUMNS,
        'Hivemind (round trips)': ({ nodes, operation }) =>
          nodes === NODES_OF_GOALS ? HIVEMIND_AT_64[operation] : null
      }),
      tableOf('Joining, and the first operation of a new client', rows('cold'), COLUMNS),
      tableOf(
        'Keys that a new node finds at once',
        networks.flatMap(({ nodes, found }) => found.map((each) => ({ nodes, ...each }))),
        { nodes: 'nodes', newcomers: 'newcomers', 'keys each': 'keys', found: 'found', of: 'of' }
      )
    ],
    goals: [...roundTripGoals(networks, sizes), ...networks.map(foundGoal)]
  }
}

function rowOf({ nodes }: Pick<NetworkFigures, 'nodes'>, { timesMs, right, ...timing }: Timing) {
  const { p50, p95 } = summaryOf(timesMs)
  const [p50Trips, p95Trips] = [p50, p95].map((time) => time / (2 * ONE_WAY_MS))
  return { nodes, ...timing, p50, p50Trips, p95Trips, right: `${right} of ${timesMs.length}` }
}

const COLUMNS: Columns<ReturnType<typeof rowOf>> = {
  nodes: 'nodes',
  operation: ({ operation, keys }) => (keys > 1 ? `${operation}(${keys})` : operation),
  'p50 (ms)': 'p50',
  'p50 (round trips)': 'p50Trips',
  'p95 (round trips)': 'p95Trips',
  right: 'right'
}

function roundTripGoals(networks: readonly NetworkFigures[], { manyKeys }: Sizes): Goal[] {
  const network = networks.find(({ nodes }) => nodes === NODES_OF_GOALS)

  return GOALS.map(([operation, limit]) => {
    const name = operation === 'getMany' ? `${operation}(${manyKeys})` : operation
    const timing = network?.warm.find((each) => each.operation === operation)

    return goal(
      `${name} among ${NODES_OF_GOALS} nodes: at most ${limit} round trips`,
      network && timing && rowOf(network, timing).p50Trips,
      atMost(limit),
      (value) => `${figure(value)} (p50)`
    )
  })
}

function foundGoal({ nodes, found }: NetworkFigures): Goal {
  return all(
    `a node that has just joined ${nodes} others finds every key`,
    totalOf(found, (each) => each.found),
    totalOf(found, ({ of }) => of)
  )
}

function notes(networks: readonly NetworkFigures[]): string[] {
  return [
    `TCP on one machine. Each end receives everything ${ONE_WAY_MS} ms later, and connecting waits for ${2 * ONE_WAY_MS} ms first. Bandwidth is not limited. The unit "round trip" is ${2 * ONE_WAY_MS} ms. The servers share as many processes as there are cores; the measured node, a client, has a process of its own.`,
    ...networks.map(
      ({ nodes, lookups, connections }) =>
        `${nodes} nodes: after ${lookups} lookups of random keys the client was connected to ${connections} of them.`
    ),
    'Every key is used once. Values that are read were stored by servers.',
    'Hivemind: in a network of 64, measured on its own code over a network in memory that delays each request, with bulk calls of 64 keys.'
  ]
}
