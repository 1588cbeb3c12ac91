import { atMost, type Columns, goal, megabytes, ms, same, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { type KeyChoice, type SimulatedFigures, simulate } from '../../simulation/measure.ts'
import type { TableShape } from '../../simulation/routing-tables.ts'
import { meanOf, percentile, summaryOf } from '../../workload/statistics.ts'
import { type RealFigures, RealNetwork, SIZES, type Sizes } from './measure-real.ts'

/** Takes a quarter of an hour. */
export const growth: Scenario = {
  name: 'growth',
  title: 'Cost of an operation, of a join and of a node as the network grows.',
  isLong: true,
  run
}

const SHAPES: readonly TableShape[] = ['waggle', 'kademlia']
const CHOICES: readonly KeyChoice[] = ['uniform', 'Zipf']
const DEAD_SHARES = [0, 0.2]
const NAMES = { alive: 'all alive', dead: 'some dead' }
const MAX_HOPS = 4
const NODES_OF_HOPS = 10_000
const MAX_IDLE_PERCENT = 0.3
const MAX_JOIN_MS = 300

/** Simulated networks of one size. */
const VARIANTS = SHAPES.flatMap((shape) =>
  CHOICES.flatMap((choice) => DEAD_SHARES.map((deadShare) => ({ shape, choice, deadShare })))
)

async function run(options: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[options.effort]
  const simulated: SimulatedFigures[] = []

  for (const size of sizes.simulated) {
    for (const variant of VARIANTS) {
      options.signal.throwIfAborted()
      simulated.push(await simulate({ size, ...variant, operations: sizes.simulatedOperations }))
    }

    options.log(`simulated ${size} nodes`)
  }

  const { real, missing } = await measureReal(sizes, options)
  return {
    notes: [...NOTES, ...missing],
    tables: [...realTables(real), ...simulatedTables(simulated)],
    goals: goals(real, simulated)
  }
}

async function measureReal(sizes: Sizes, options: RunOptions) {
  const { signal, log } = options
  const real: RealFigures[] = []
  await using network = new RealNetwork(sizes, options)

  try {
    for (const nodes of sizes.real) {
      real.push(await network.measure(nodes))
      log(`measured ${nodes} real nodes`)
    }
  } catch (error) {
    // The machine is too slow for this size; the smaller sizes still count.
    signal.throwIfAborted()
    log(String(error))
    // Without the stack, which names this machine's folders.
    const [message = ''] = String(error).split(/\n {4}at /)
    const reason = message.replaceAll(/\s+/g, ' ')
    return { real, missing: [`More real nodes could not be measured: ${reason}`] }
  }

  return { real, missing: [] }
}

function realTables(real: readonly RealFigures[]): Table[] {
  const rows = real.flatMap(({ operations, ...rest }) =>
    operations.map((each) => ({ ...rest, ...each }))
  )
  const tasks = real.flatMap(({ nodes, dialsByTask }) =>
    dialsByTask.map((each) => ({ nodes, ...each }))
  )

  return [
    tableOf('An operation, measured with real nodes', rows, {
      ...same('nodes', 'operation', 'messages', 'dials'),
      'log₂ N': ({ nodes }) => Math.log2(nodes),
      'bytes (B)': 'bytes',
      'mean hops': ({ hops }) => meanOf(hops),
      'most hops': ({ hops }) => summaryOf(hops).max,
      'p50 (ms)': ({ tookMs }) => percentile(tookMs, 0.5),
      'p95 (ms)': ({ tookMs }) => percentile(tookMs, 0.95),
      right: ({ right, count }) => `${right} of ${count}`
    }),
    tableOf('A join, measured with real nodes', real, {
      nodes: 'nodes',
      'p50 (ms)': ({ joinMs }) => percentile(joinMs, 0.5),
      'slowest (ms)': ({ joinMs }) => percentile(joinMs, 1),
      ...{ dials: 'joinDials', 'CPU of all nodes (ms)': 'joinCpuMs' }
    }),
    tableOf('Dials by task, measured with real nodes', tasks, {
      ...same('nodes', 'task'),
      'for a join, of all nodes': 'perJoin',
      'of an idle node in an hour': 'perHour'
    }),
    tableOf('A node, measured with real nodes', real, {
      ...same('nodes', 'connections'),
      'known peers': 'known',
      'idle CPU (% of a core)': 'idleCPU',
      'idle dials per hour': 'dialsPerHour',
      'memory in use (MB)': ({ usedBytes }) => megabytes(usedBytes),
      'memory of the process (MB)': ({ residentBytes }) => megabytes(residentBytes)
    })
  ]
}

function simulatedTables(simulated: readonly SimulatedFigures[]): Table[] {
  const [alive, dead] = DEAD_SHARES.map((share) =>
    simulated.filter(({ deadShare }) => deadShare === share)
  ) as [SimulatedFigures[], SimulatedFigures[]]
  const networks = alive.map((each, i) => {
    const { choice, shape, size } = each
    return { nodes: size, tables: shape, keys: choice, alive: each, dead: dead[i] ?? each }
  })
  const rows = networks.flatMap((network) =>
    (['get', 'store'] as const).map((operation) => ({
      ...{ ...network, operation },
      alive: network.alive[operation],
      dead: network.dead[operation]
    }))
  )
  const costs = (which: 'alive' | 'dead'): Columns<(typeof rows)[number]> => ({
    [`messages, ${NAMES[which]}`]: (row) => row[which].messages,
    [`dials, ${NAMES[which]}`]: (row) => row[which].dials,
    [`mean hops, ${NAMES[which]}`]: (row) => row[which].hops.mean,
    [`p99 hops, ${NAMES[which]}`]: (row) => row[which].hops.p99,
    [`right, ${NAMES[which]}`]: (row) => row[which].right
  })
  const places = (which: 'alive' | 'dead'): Columns<(typeof networks)[number]> => ({
    [`copies, ${NAMES[which]}`]: (row) => row[which].copies,
    [`of the 5 nearest, ${NAMES[which]} (%)`]: (row) => 100 * row[which].nearestShare
  })
  const uniform = networks.filter(({ keys }) => keys === 'uniform')

  return [
    tableOf('An operation, simulated', rows, {
      ...same('nodes', 'tables', 'keys', 'operation'),
      ...costs('alive'),
      ...costs('dead')
    }),
    tableOf('Where records are after a store, simulated', uniform, {
      ...same('nodes', 'tables'),
      ...places('alive'),
      ...places('dead')
    })
  ]
}

/** Compares the figures with the goals. */
export function goals(
  real: readonly RealFigures[],
  simulated: readonly SimulatedFigures[]
): Goal[] {
  const alive = simulated.filter(({ choice, deadShare }) => deadShare === 0 && choice === 'uniform')
  const hops = alive
    .filter(({ size }) => size === NODES_OF_HOPS)
    .map(({ shape, get }) => ({ shape, hops: get.hops.max }))
  const largest = real.at(-1)

  return [
    ...SHAPES.map((wanted) =>
      growthGoal(
        `simulated, ${wanted} tables`,
        alive.filter(({ shape }) => shape === wanted).map(({ size, get }) => [size, get.messages])
      )
    ),
    growthGoal(
      'real nodes',
      real.map(({ nodes, operations }) => [nodes, operations[0]?.messages ?? Number.NaN])
    ),
    goal(
      `hops of a get among ${NODES_OF_HOPS} nodes: at most ${MAX_HOPS}`,
      hops.length > 0 ? Math.max(...hops.map((each) => each.hops)) : undefined,
      atMost(MAX_HOPS),
      () => hops.map((each) => `${each.hops} with ${each.shape} tables`).join(', ')
    ),
    goal(
      `an idle node takes at most ${MAX_IDLE_PERCENT} % of a core, whatever the size`,
      largest && Math.max(...real.map(({ idleCPU }) => idleCPU)),
      atMost(MAX_IDLE_PERCENT),
      () => real.map(({ nodes, idleCPU }) => `${figure(idleCPU)} % of ${nodes}`).join(', ')
    ),
    goal(
      `joining a network of ${largest?.nodes ?? 'many'} nodes: p50 at most ${MAX_JOIN_MS} ms`,
      largest && percentile(largest.joinMs, 0.5),
      atMost(MAX_JOIN_MS),
      ms
    )
  ]
}

type Point = readonly [nodes: number, messages: number]

/** Compares the smallest network with each larger one: messages may grow by the factor of the logarithm. */
function growthGoal(which: string, points: readonly Point[]): Goal {
  const text = `messages of a get grow no faster than log N (${which})`
  const [first, last] = [points[0], points.at(-1)]

  if (first === undefined || last === undefined || first === last) {
    return { text, measured: 'one size only', isMet: undefined }
  }

  const growth = ([nodes, messages]: Point) => [
    messages / first[1],
    Math.log(nodes) / Math.log(first[0])
  ]
  const [factor = 0, logFactor = 0] = growth(last)

  return {
    text,
    measured: `${figure(first[1])} at ${first[0]}, ${figure(last[1])} at ${last[0]}: × ${figure(factor)}, log N × ${figure(logFactor)}`,
    isMet: points.map(growth).every(([grown = 0, allowed = 0]) => grown <= allowed)
  }
}

const NOTES: readonly string[] = [
  'Real: nodes with the defaults of `DHT.create`, over TCP, in eight processes on one machine. One network grows from size to size, by at most 100 nodes before it comes to rest, of which as many join at once as the machine has processors. A newcomer has two initial peers that chance picks. Then ten newcomers join one after the other. A join takes until `DHT.create` resolves; its dials and CPU are those of all nodes until 25 s after the last one, when upkeep has seen to the newcomers, without what they take while idle. Dials by task are the attempts of all nodes: `join` to reach initial peers, and those that were lost; `neighbours` to find a place in the network, and to merge networks; `probe` to find out whether a silent neighbour is there; the others for requests of a protocol, of which `exchange` carries what upkeep hands over. Operations run one after another, from clients in a process of their own, with values of 100 bytes; dials are those of the client. Messages are requests and replies of the exchange protocol; bytes are theirs, frames included. Hops are requests that had to wait for the reply to another one, in a row. Times are those of a machine whose two cores do all the work of both ends.',
  'Simulated: the same code for lookups and stores, without libp2p, against nodes with full routing tables. Tables named waggle are those of nodes: 20 peers for each prefix of six bits, for its own one 20 for each length of a longer shared prefix, and the 32 nearest; those named kademlia are the textbook\'s, with a bucket of 20 for each length of the shared prefix. "Some dead": a fifth of the nodes is gone, but still in the tables of others; a request to one of them costs one message and one hop. Each key is stored once; then 50 clients store (one of four operations) and get keys that chance picks: all alike, or the n-th one with a weight of 1/n (Zipf). Each client knows what one node knows, caches nothing, and keeps connections by the rule and the watermarks of nodes; a dial is a request to a peer that is not connected. Only messages take time. A store is also a lookup, so it leaves copies along its way.'
]
