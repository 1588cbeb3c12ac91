import { setTimeout as passed } from 'node:timers/promises'
import { type NodesProcess, nodesProcess } from '../nodes/nodes-process.ts'
import { until } from '../processes/until.ts'
import { all, atMost, goal, ms, tableOf } from '../result/build.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { totalOf } from '../workload/statistics.ts'

/** Measures the cost of a room in which all members see each other. */
export const presence: Scenario = {
  name: 'presence',
  title: 'A presence of 100 members, each of which watches all others.',
  run
}

const SIZES = {
  full: { processes: 4, perProcess: 25, ttl: 30, forMs: 60_000 },
  quick: { processes: 2, perProcess: 3, ttl: 2, forMs: 3_000 }
}

type Sizes = typeof SIZES.full

/** Milliseconds from the last join until every member sees all. */
const MAX_SEEN_MS = 2_000

async function run({ effort, signal }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const row = await measure(sizes, signal)
  return {
    notes: notes(sizes),
    tables: [
      tableOf(`${row.members} members`, [row], {
        ...{ 'until all see all (ms)': 'seenMs', 'renewals per second': 'renewals' },
        ...{ 'processor time per member (ms/s)': 'cpuMs', 'sent per member (kB/s)': 'sentKB' }
      })
    ],
    goals: [
      goal(`all see all within ${ms(MAX_SEEN_MS)}`, row.seenMs, atMost(MAX_SEEN_MS), ms),
      all('members see all others at the end', row.complete, row.members)
    ]
  }
}

async function measure({ processes: count, perProcess, ttl, forMs }: Sizes, signal: AbortSignal) {
  await using stack = new AsyncDisposableStack()
  const processes = Array.from({ length: count }, () => stack.use(nodesProcess({ signal })))
  const members = count * perProcess
  let initialPeers: string[] = []

  for (const each of processes) {
    const addresses = await each.call('start', { count: perProcess, options: { initialPeers } })
    initialPeers = initialPeers.length > 0 ? initialPeers : (addresses[0] ?? [])
  }

  await Promise.all(processes.map((each) => each.call('settle', members - 1)))
  const complete = async (): Promise<number> => {
    const sizes = await Promise.all(processes.map((each) => each.call('seenMembers')))
    return sizes.flat().filter((size) => size === members).length
  }
  const startMs = performance.now()
  await Promise.all(processes.map((each) => each.call('joinRoom', ttl)))
  await until('all see all', async () => (await complete()) === members)
  const seenMs = performance.now() - startMs
  const before = await costOf(processes)
  await passed(forMs, undefined, { signal })
  const after = await costOf(processes)
  const perSecond = (of: 'cpuMs' | 'bytes'): number =>
    (after[of] - before[of]) / members / (forMs / 1000)

  return {
    ...{ members, seenMs, complete: await complete() },
    renewals: (2 * members) / ttl,
    cpuMs: perSecond('cpuMs'),
    sentKB: perSecond('bytes') / 1000
  }
}

async function costOf(processes: readonly NodesProcess[]) {
  const costs = await Promise.all(processes.map((each) => each.call('served')))
  return {
    cpuMs: totalOf(costs, ({ cpuMs }) => cpuMs),
    bytes: totalOf(costs, ({ bytes }) => bytes)
  }
}

function notes({ processes, perProcess, ttl, forMs }: Sizes): string[] {
  return [
    `${processes * perProcess} nodes in ${processes} processes on loopback, all of them servers. Each joins one room with a ttl of ${ttl} s and watches it. The time runs from the first join until each watch has all members. ` +
      `Then costs are taken for ${forMs / 1000} s in which entries are only renewed: processor time of whole nodes, and bytes that they send in replies and notifications.`
  ]
}
