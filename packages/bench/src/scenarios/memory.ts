import type { LiveMemory } from '../processes/usage.ts'
import { atMost, goal, megabytes, tableOf } from '../result/build.ts'
import { figure } from '../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../result/result.ts'
import { WAGGLE } from '../systems/contestants.ts'
import { Network } from '../systems/network.ts'
import { KeyNumbers } from '../workload/records.ts'
import { medianOf } from '../workload/statistics.ts'

/** Memory of Waggle's nodes in one process, and of a client during bulk calls. */
export const memory: Scenario = {
  name: 'memory',
  title: 'Memory of each further node of Waggle in a process, and of a client with many keys.',
  run
}

/** Nodes of a process, keys of the bulk calls, and the load on the nodes: one by one, in flight, and in bulk. */
const PLANS = {
  full: { rounds: 3, nodes: [2, 10, 20], bulk: [10_000, 40_000], load: [200, 400, 50, 1_000] },
  quick: { rounds: 1, nodes: [2, 3], bulk: [20], load: [3, 10, 5, 20] }
} as const

const NODES_OF_BULK = [3, 3]

/** Megabytes of each further node after the load. */
const MAX_NODE_MB = 12

/** Megabytes for tens of thousands of keys: several times what they and their values take. */
const MAX_BULK_MB = 64

/** Memory of one process with several nodes. */
interface NodeMemory {
  readonly nodes: number
  readonly start: LiveMemory
  readonly loaded: LiveMemory
}

async function run(options: RunOptions): Promise<ScenarioResult> {
  const plan = PLANS[options.effort]
  const rounds: NodeMemory[] = []

  for (let round = 1; round <= plan.rounds; round++) {
    for (const count of plan.nodes) {
      options.log(`round ${round} of ${plan.rounds}: ${count} nodes`)
      rounds.push(await measureNodes(count, options))
    }
  }

  options.log('bulk calls')
  const nodes = plan.nodes.map((count) => medians(rounds.filter((each) => each.nodes === count)))
  const bulk = await measureBulk(plan.bulk, options)
  return { notes: notes(plan.rounds), tables: tables(nodes, bulk), goals: goals(nodes, bulk) }
}

/** Measures a process with nodes before and after a load. */
async function measureNodes(
  nodes: number,
  { effort, signal }: Pick<RunOptions, 'effort' | 'signal'>
): Promise<NodeMemory> {
  const options = { contestant: WAGGLE, nodesOfProcesses: [nodes], signal }
  await using network = await Network.start(options)
  const { client, lastServer } = network
  const [oneByOne, burst, depth, bulk] = PLANS[effort].load
  const numbers = new KeyNumbers()
  const start = await lastServer.call('liveMemory')

  for (const [count, inFlight] of [
    [oneByOne, 1],
    [burst, depth]
  ] as const) {
    const keys = numbers.take(count)
    await client.call('run', { operation: 'store', keys, inFlight })
    await client.call('run', { operation: 'get', keys, inFlight })
  }

  const keys = numbers.take(bulk)
  await client.call('bulk', { operation: 'storeMany', keys })
  await client.call('bulk', { operation: 'getMany', keys })
  return { nodes, start, loaded: await lastServer.call('liveMemory') }
}

type BulkMemory = Awaited<ReturnType<typeof measureBulk>>[number]

/** Measures a client of a small network during bulk calls. */
async function measureBulk(counts: readonly number[], { signal }: Pick<RunOptions, 'signal'>) {
  const options = { contestant: WAGGLE, nodesOfProcesses: NODES_OF_BULK, signal }
  await using network = await Network.start(options)
  const numbers = new KeyNumbers()
  const found: { operation: string; keys: number; bytes: number }[] = []

  for (const count of counts) {
    const keys = numbers.take(count)

    for (const operation of ['storeMany', 'getMany'] as const) {
      const bytes = await network.client.call('bulkMemory', { operation, keys })
      found.push({ operation, keys: count, bytes })
    }
  }

  return found
}

function medians(rounds: readonly NodeMemory[]): NodeMemory {
  const of = (read: (each: NodeMemory) => LiveMemory): LiveMemory => ({
    rssBytes: medianOf(rounds, (each) => read(each).rssBytes),
    usedBytes: medianOf(rounds, (each) => read(each).usedBytes)
  })

  return {
    nodes: rounds[0]?.nodes ?? 0,
    start: of(({ start }) => start),
    loaded: of(({ loaded }) => loaded)
  }
}

function tables(nodes: readonly NodeMemory[], bulk: readonly BulkMemory[]): Table[] {
  const further = (which: keyof LiveMemory) => (each: NodeMemory) =>
    each === nodes[0] ? null : furtherNodeMB(nodes, each, which)

  return [
    tableOf(
      'One process with several nodes',
      nodes,
      {
        nodes: 'nodes',
        'resident at first (MB)': ({ start }) => megabytes(start.rssBytes),
        'resident after the load (MB)': ({ loaded }) => megabytes(loaded.rssBytes),
        'in use after the load (MB)': ({ loaded }) => megabytes(loaded.usedBytes),
        'resident for each further node (MB)': further('rssBytes'),
        'in use for each further node (MB)': further('usedBytes')
      },
      {
        name: 'nodes',
        title: 'Memory of one process with several nodes',
        kind: 'lines',
        x: ['nodes'],
        y: ['resident at first (MB)', 'resident after the load (MB)']
      }
    ),
    tableOf('A client during a bulk call: peak of memory in use', bulk, {
      by: 'operation',
      keys: 'keys',
      'in use (MB)': ({ bytes }) => megabytes(bytes)
    })
  ]
}

function goals(nodes: readonly NodeMemory[], bulk: readonly BulkMemory[]): Goal[] {
  const [most] = bulk.toSorted((a, b) => b.bytes - a.bytes)
  const further = nodes
    .slice(1)
    .map((each) => ({ nodes: each.nodes, mb: furtherNodeMB(nodes, each, 'rssBytes') }))

  return [
    goal(
      `each further node in one process takes at most ${MAX_NODE_MB} MB after the load`,
      Math.max(...further.map(({ mb }) => mb)),
      atMost(MAX_NODE_MB),
      () => further.map((each) => `${figure(each.mb)} MB with ${each.nodes}`).join(', ')
    ),
    goal(
      `memory of a client during a bulk call is bounded: at most ${MAX_BULK_MB} MB for 40,000 keys`,
      most && megabytes(most.bytes),
      atMost(MAX_BULK_MB),
      (value) => `${figure(value)} MB (${most?.operation} of ${figure(most?.keys ?? 0)})`
    )
  ]
}

/** Compares with the fewest nodes, after the load. */
function furtherNodeMB(
  [fewest]: readonly NodeMemory[],
  { nodes, loaded }: NodeMemory,
  which: keyof LiveMemory
): number {
  const { nodes: few, loaded: little } = fewest as NodeMemory
  return megabytes(loaded[which] - little[which]) / (nodes - few)
}

function notes(rounds: number): string[] {
  return [
    'All nodes share one process; a client has another. The load is 200 stores and gets one by one, 400 with 50 in flight, and 1,000 in bulk. ' +
      `Memory is read after several garbage collections (\`--expose-gc\`), so it is what the nodes need; a busy process occupies more. Resident memory beyond what is in use is mostly the room for young objects that V8 took while the nodes started, and keeps. Figures are medians over ${rounds} rounds.`,
    'The memory of a further node is the difference to the fewest nodes, divided by the difference in nodes. The load is the same in all cases: with more nodes, each holds less of it.',
    'During bulk calls, garbage is collected ten times a second, and the greatest memory in use counts; their time means nothing.'
  ]
}
