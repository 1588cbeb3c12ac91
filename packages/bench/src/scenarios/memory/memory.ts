import { goal } from '../../goal.ts'
import type { Chart, Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../interface.ts'
import type { LiveMemory } from '../../processes/live-memory.ts'
import { figure } from '../../report/figure.ts'
import { medianOf } from '../../statistics.ts'
import { type BulkMemory, measureBulkMemory } from './measure-bulk-memory.ts'
import { measureNodeMemory, type NodeMemory } from './measure-node-memory.ts'

/** What nodes of Waggle need in one process, and a client while it works in bulk. */
export const memory: Scenario = {
  name: 'memory',
  title: 'What one more node of Waggle needs in a process, and what a client needs for many keys.',
  run
}

const PLANS = {
  full: { rounds: 3, nodes: [2, 10, 20], bulk: [10_000, 40_000] },
  quick: { rounds: 1, nodes: [2, 3], bulk: [20] }
} as const

/** For each further node, after the load. */
const MAX_NODE_MB = 12

/** For tens of thousands of keys: what they and their answers take themselves, several times over. */
const MAX_BULK_MB = 64
const BYTES_PER_MB = 1e6

interface Found {
  readonly nodes: readonly NodeMemory[]
  readonly bulk: readonly BulkMemory[]
}

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const plan = PLANS[effort]
  const rounds: NodeMemory[] = []

  for (let round = 1; round <= plan.rounds; round++) {
    for (const count of plan.nodes) {
      log(`round ${round} of ${plan.rounds}: ${count} nodes`)
      rounds.push(await measureNodeMemory(count, { effort, signal }))
    }
  }

  log('a client in bulk')
  const nodes = plan.nodes.map((count) => medians(rounds.filter((each) => each.nodes === count)))
  const found = { nodes, bulk: await measureBulkMemory(plan.bulk, { signal }) }

  return {
    notes: notes(plan.rounds),
    tables: [nodeTable(found), bulkTable(found)],
    charts: [chart(found)],
    goals: goals(found)
  }
}

function notes(rounds: number): string[] {
  return [
    'All nodes are in one process, and a client is in another. The load is 200 stores and gets one by one, 400 with 50 in flight, and 1,000 in bulk. ' +
      `Memory is read after some collections of garbage (\`--expose-gc\`), so it is what the nodes need; what a busy process occupies meanwhile is more. What is resident beyond what is in use is mostly the room that V8 has taken for young objects while the nodes started, and keeps. Figures are medians of ${rounds} rounds.`,
    'A further node is the difference to the fewest nodes, divided by how many there are more. The load is the same for all: with more nodes, each holds less of it.',
    'For a client in bulk, garbage is collected ten times a second while it works, and the most that was in use is taken: its time means nothing.'
  ]
}

function medians(rounds: readonly NodeMemory[]): NodeMemory {
  const memoryOf = (read: (each: NodeMemory) => LiveMemory): LiveMemory => ({
    rssBytes: medianOf(rounds, (each) => read(each).rssBytes),
    usedBytes: medianOf(rounds, (each) => read(each).usedBytes)
  })

  return {
    nodes: medianOf(rounds, ({ nodes }) => nodes),
    start: memoryOf(({ start }) => start),
    loaded: memoryOf(({ loaded }) => loaded)
  }
}

function nodeTable({ nodes }: Found): Table {
  return {
    title: 'One process with several nodes',
    columns: [
      { title: 'nodes' },
      { title: 'resident at first', unit: 'MB' },
      { title: 'resident after the load', unit: 'MB' },
      { title: 'in use after the load', unit: 'MB' },
      { title: 'resident for each further node', unit: 'MB' },
      { title: 'in use for each further node', unit: 'MB' }
    ],
    rows: nodes.map((each, index) => [
      each.nodes,
      each.start.rssBytes / BYTES_PER_MB,
      each.loaded.rssBytes / BYTES_PER_MB,
      each.loaded.usedBytes / BYTES_PER_MB,
      index === 0 ? null : furtherNodeMB(nodes, each, 'rssBytes'),
      index === 0 ? null : furtherNodeMB(nodes, each, 'usedBytes')
    ])
  }
}

function bulkTable({ bulk }: Found): Table {
  return {
    title: 'A client while it works in bulk: the most that it needs at once',
    columns: [{ title: 'by' }, { title: 'keys' }, { title: 'in use', unit: 'MB' }],
    rows: bulk.map(({ operation, keys, bytes }) => [operation, keys, bytes / BYTES_PER_MB])
  }
}

function chart({ nodes }: Found): Chart {
  return {
    name: 'nodes',
    title: 'Memory of one process with several nodes',
    kind: 'lines',
    x: { title: 'nodes', values: nodes.map((each) => each.nodes) },
    y: { title: 'MB' },
    series: [
      { title: 'at first', values: nodes.map(({ start }) => start.rssBytes / BYTES_PER_MB) },
      { title: 'after the load', values: nodes.map(({ loaded }) => loaded.rssBytes / BYTES_PER_MB) }
    ]
  }
}

function goals({ nodes, bulk }: Found): Goal[] {
  const most = bulk.toSorted((a, b) => b.bytes - a.bytes)[0]
  const further = nodes.slice(1)

  return [
    goal(`at most ${MAX_NODE_MB} MB more for each further node in one process, after load`, {
      value: Math.max(...further.map((each) => furtherNodeMB(nodes, each, 'rssBytes'))),
      isGood: (value) => value <= MAX_NODE_MB,
      show: () =>
        further
          .map((each) => `${figure(furtherNodeMB(nodes, each, 'rssBytes'))} MB with ${each.nodes}`)
          .join(', ')
    }),
    goal(`memory of a client in bulk is bounded: at most ${MAX_BULK_MB} MB for 40,000 keys`, {
      value: most && most.bytes / BYTES_PER_MB,
      isGood: (value) => value <= MAX_BULK_MB,
      show: (value) => `${figure(value)} MB (${most?.operation} of ${figure(most?.keys ?? 0)})`
    })
  ]
}

/** Against the fewest nodes, after the load. */
function furtherNodeMB(
  [fewest]: readonly NodeMemory[],
  { nodes, loaded }: NodeMemory,
  which: keyof LiveMemory
): number {
  return fewest === undefined
    ? Number.NaN
    : (loaded[which] - fewest.loaded[which]) / (nodes - fewest.nodes) / BYTES_PER_MB
}
