import type { LiveMemory } from '../processes/usage.ts'
import { atMost, goal, megabytes, tableOf } from '../result/build.ts'
import { figure } from '../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { WAGGLE } from '../systems/contestants.ts'
import { Network } from '../systems/network.ts'
import { KeyNumbers } from '../workload/records.ts'
import { medianOf } from '../workload/statistics.ts'

/** Measures the memory of Waggle's nodes in one process, and of a client during bulk calls. */
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

/** Megabytes for tens of thousands of keys: several times the size of the keys and their values. */
const MAX_BULK_MB = 64

async function run(options: RunOptions): Promise<ScenarioResult> {
  const { rounds, nodes, bulk } = PLANS[options.effort]
  const measured: Awaited<ReturnType<typeof measureNodes>>[] = []

  for (let round = 1; round <= rounds; round++) {
    for (const count of nodes) {
      options.log(`round ${round} of ${rounds}: ${count} nodes`)
      measured.push(await measureNodes(count, options))
    }
  }

  options.log('bulk calls')
  const rows = rowsOf(nodes.map((count) => measured.filter((each) => each.nodes === count)))
  const calls = await measureBulk(bulk, options)

  return {
    notes: notes(rounds),
    tables: [
      tableOf('One process with several nodes', rows, {
        nodes: 'nodes',
        'resident at first (MB)': 'start',
        'resident after the load (MB)': 'loaded',
        'in use after the load (MB)': 'used',
        'resident for each further node (MB)': 'further',
        'in use for each further node (MB)': 'furtherUsed'
      }),
      tableOf('A client during a bulk call: peak of memory in use', calls, {
        ...{ by: 'operation', keys: 'keys', 'in use (MB)': 'mb' }
      })
    ],
    goals: goals(rows, calls)
  }
}

/** Measures a process with nodes before and after a load. */
async function measureNodes(nodes: number, { effort, signal }: RunOptions) {
  const options = { contestant: WAGGLE, nodesOfProcesses: [nodes], signal }
  await using network = await Network.start(options)
  const { client, lastServer } = network
  const [oneByOne, burst, depth, bulk] = PLANS[effort].load
  const numbers = new KeyNumbers()
  const start = await lastServer.call('liveMemory')

  for (const [count, inFlight] of [[oneByOne, 1] as const, [burst, depth] as const]) {
    const keys = numbers.take(count)
    await client.call('run', { operation: 'store', keys, inFlight })
    await client.call('run', { operation: 'get', keys, inFlight })
  }

  const keys = numbers.take(bulk)
  await client.call('bulk', { operation: 'storeMany', keys })
  await client.call('bulk', { operation: 'getMany', keys })
  return { nodes, start, loaded: await lastServer.call('liveMemory') }
}

/** Measures the peak of memory in use of a small network's client during bulk calls. */
async function measureBulk(counts: readonly number[], { signal }: RunOptions) {
  const options = { contestant: WAGGLE, nodesOfProcesses: NODES_OF_BULK, signal }
  await using network = await Network.start(options)
  const numbers = new KeyNumbers()
  const found: { operation: string; keys: number; mb: number }[] = []

  for (const count of counts) {
    const keys = numbers.take(count)

    for (const operation of ['storeMany', 'getMany'] as const) {
      const bytes = await network.client.call('bulkMemory', { operation, keys })
      found.push({ operation, keys: count, mb: megabytes(bytes) })
    }
  }

  return found
}

/** Takes the medians of the rounds of each size, and compares them with the smallest size. */
function rowsOf(sizes: readonly { nodes: number; start: LiveMemory; loaded: LiveMemory }[][]) {
  const medians = sizes.map((rounds) => ({
    nodes: rounds[0]?.nodes ?? 0,
    start: megabytes(medianOf(rounds, ({ start }) => start.rssBytes)),
    loaded: megabytes(medianOf(rounds, ({ loaded }) => loaded.rssBytes)),
    used: megabytes(medianOf(rounds, ({ loaded }) => loaded.usedBytes))
  }))
  const [least = { nodes: 0, loaded: 0, used: 0 }] = medians

  return medians.map((row) => {
    const more = row.nodes - least.nodes
    const further = (which: 'loaded' | 'used') =>
      more > 0 ? (row[which] - least[which]) / more : null
    return { ...row, further: further('loaded'), furtherUsed: further('used') }
  })
}

function goals(
  rows: ReturnType<typeof rowsOf>,
  calls: Awaited<ReturnType<typeof measureBulk>>
): Goal[] {
  const [most] = calls.toSorted((a, b) => b.mb - a.mb)
  const further = rows.flatMap(({ nodes, further: mb }) => (mb === null ? [] : { nodes, mb }))

  return [
    goal(
      `each further node in one process takes at most ${MAX_NODE_MB} MB after the load`,
      Math.max(...further.map(({ mb }) => mb)),
      atMost(MAX_NODE_MB),
      () => further.map(({ nodes, mb }) => `${figure(mb)} MB with ${nodes}`).join(', ')
    ),
    goal(
      `memory of a client during a bulk call is bounded: at most ${MAX_BULK_MB} MB for 40,000 keys`,
      most?.mb,
      atMost(MAX_BULK_MB),
      (value) => `${figure(value)} MB (${most?.operation} of ${figure(most?.keys ?? 0)})`
    )
  ]
}

function notes(rounds: number): string[] {
  return [
    'All nodes share one process; a client has another. The load is 200 stores and gets one by one, 400 with 50 in flight, and 1,000 in bulk. ' +
      `Memory is read after several garbage collections (\`--expose-gc\`), so it is what the nodes need; a busy process occupies more. Resident memory beyond what is in use is mostly the room for young objects that V8 took while the nodes started, and keeps. Figures are medians over ${rounds} rounds.`,
    'The memory of a further node is the difference to the fewest nodes, divided by the difference in nodes. The load is the same in all cases: with more nodes, each holds less of it.',
    'During bulk calls, garbage is collected ten times a second, and the greatest memory in use counts; their time means nothing.'
  ]
}
