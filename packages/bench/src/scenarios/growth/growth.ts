import { atMost, type Columns, goal, megabytes, same, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { type SimulatedFigures, simulate } from '../../simulation/measure.ts'
import type { TableShape } from '../../simulation/routing-tables.ts'
import { meanOf, summaryOf } from '../../workload/statistics.ts'
import { measureReal, type RealFigures, SIZES } from './measure-real.ts'

export const growth: Scenario = {
  name: 'growth',
  title: 'Cost of an operation and of a node as the network grows.',
  run
}

const SHAPES: readonly TableShape[] = ['kademlia', 'kad-dht']
const DEAD_SHARES = [0, 0.2]
const NAMES = { alive: 'all alive', dead: 'some dead' }
const MAX_HOPS = 4
const NODES_OF_HOPS = 10_000
const MAX_IDLE_PERCENT = 1

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const real: RealFigures[] = []
  const missing: string[] = []
  const simulated: SimulatedFigures[] = []

  for (const nodes of sizes.real) {
    try {
      real.push(await measureReal(nodes, sizes, signal))
      log(`measured ${nodes} real nodes`)
    } catch (error) {
      // The machine is too slow for so many; the other sizes still count.
      signal.throwIfAborted()
      missing.push(`${nodes} real nodes could not be measured: ${error}`)
      log(missing.at(-1) ?? '')
    }
  }

  for (const size of sizes.simulated) {
    for (const shape of SHAPES) {
      for (const deadShare of DEAD_SHARES) {
        signal.throwIfAborted()
        const operations = sizes.simulatedOperations
        simulated.push(await simulate({ size, shape, deadShare, operations }))
      }
    }

    log(`simulated ${size} nodes`)
  }

  return {
    notes: [...NOTES, ...missing],
    tables: [...realTables(real), ...simulatedTables(simulated)],
    goals: goals(real, simulated)
  }
}

function realTables(real: readonly RealFigures[]): Table[] {
  const rows = real.flatMap(({ operations, ...rest }) =>
    operations.map((each) => ({ ...rest, ...each }))
  )

  return [
    tableOf('An operation, measured with real nodes', rows, {
      ...same('nodes', 'operation', 'messages'),
      'bytes (B)': 'bytes',
      'mean hops': ({ hops }) => meanOf(hops),
      'most hops': ({ hops }) => summaryOf(hops).max,
      'CPU (ms)': ({ cpuMs }) => (cpuMs > 0 ? cpuMs : null),
      connections: 'clientConnections',
      right: ({ right, count }) => `${right} of ${count}`
    }),
    tableOf('A node, measured with real nodes', real, {
      ...same('nodes', 'connections'),
      'idle CPU (% of a core)': 'idleCPU',
      'memory in use (MB)': ({ usedBytes }) => megabytes(usedBytes),
      'memory of the process (MB)': ({ residentBytes }) => megabytes(residentBytes),
      'time to join (ms)': 'tookMs'
    })
  ]
}

function simulatedTables(simulated: readonly SimulatedFigures[]): Table[] {
  const [alive, dead] = DEAD_SHARES.map((share) =>
    simulated.filter(({ deadShare }) => deadShare === share)
  ) as [SimulatedFigures[], SimulatedFigures[]]
  const networks = alive.map((each, i) => {
    return { nodes: each.size, tables: each.shape, alive: each, dead: dead[i] ?? each }
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
    [`mean hops, ${NAMES[which]}`]: (row) => row[which].hops.mean,
    [`p99 hops, ${NAMES[which]}`]: (row) => row[which].hops.p99,
    [`most hops, ${NAMES[which]}`]: (row) => row[which].hops.max,
    [`right, ${NAMES[which]}`]: (row) => row[which].right
  })
  const places = (which: 'alive' | 'dead'): Columns<(typeof networks)[number]> => ({
    [`copies, ${NAMES[which]}`]: (row) => row[which].copies,
    [`of the 5 nearest, ${NAMES[which]} (%)`]: (row) => 100 * row[which].nearestShare
  })

  return [
    tableOf('An operation, simulated', rows, {
      ...same('nodes', 'tables', 'operation'),
      ...costs('alive'),
      ...costs('dead')
    }),
    tableOf('Where records are after a store, simulated', networks, {
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
  const alive = simulated.filter(({ deadShare }) => deadShare === 0)
  const hops = alive
    .filter(({ size }) => size === NODES_OF_HOPS)
    .map(({ shape, get }) => ({ shape, hops: get.hops.max }))
  const idle = real.flatMap(({ nodes, idleCPU }) => (idleCPU ? { nodes, idleCPU } : []))
  const sizes = idle.length > 0 ? `, of ${idle.map(({ nodes }) => nodes).join(' and ')}` : ''

  return [
    ...SHAPES.toReversed().map((wanted) =>
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
      `an idle node takes at most ${MAX_IDLE_PERCENT} % of a core${sizes}`,
      idle.length > 0 ? Math.max(...idle.map(({ idleCPU }) => idleCPU)) : undefined,
      atMost(MAX_IDLE_PERCENT),
      () => idle.map(({ idleCPU }) => `${figure(idleCPU)} %`).join(', ')
    )
  ]
}

type Point = readonly [nodes: number, messages: number]

/** From the smallest network to each larger one, messages may grow by the factor of the logarithm. */
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
  'Real: whole nodes in one process, connected in memory, with yamux and without encryption. Operations run one after another, from clients that are already connected, with values of 100 bytes. Messages are requests and replies of the exchange protocol; bytes are theirs, frames included. Hops are requests that had to wait for the reply to another one, in a row. CPU is the time of all nodes together, without what they take while idle; a small cost can get lost in that. libp2p pings every connection at intervals, and an idle node does little else; these pings are off where operations are measured, and on where idle nodes are.',
  'Simulated: the same code for lookups and stores, without libp2p, against nodes with full routing tables. Tables named kademlia have a bucket of 20 for each length of the shared prefix; those named kad-dht are js-libp2p\'s, with a bucket of 20 for each prefix of six bits and the 20 nearest. "Some dead": a fifth of the nodes is gone, but still in the tables of others; a request to one of them costs one message and one hop. Each operation has a client of its own, which knows what one node knows. Only messages take time: CPU and bytes are not simulated. A store is also a lookup, so it leaves copies along its way.'
]
