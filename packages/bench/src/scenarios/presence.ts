import { setTimeout as passed } from 'node:timers/promises'
import { type NodesProcess, nodesProcess } from '../nodes/nodes-process.ts'
import { until } from '../processes/until.ts'
import { all, atMost, goal, ms, tableOf } from '../result/build.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { summaryOf, totalOf } from '../workload/statistics.ts'

/** Measures the cost of a room in which all members see each other. */
export const presence: Scenario = {
  name: 'presence',
  title: 'Presence of 100 members, each of which watches all others.',
  run
}

const SIZES = {
  full: { processes: 4, perProcess: 25, ttl: 30, joins: 20, forMs: 20_000 },
  quick: { processes: 2, perProcess: 3, ttl: 2, joins: 2, forMs: 3_000 }
}

type Sizes = typeof SIZES.full

/** Milliseconds from the first join until every member sees all, when all join at once on one machine. */
const MAX_ALL_SEEN_MS = 20_000

/** Milliseconds from a join until the slowest of the other members sees it, when nothing else happens. */
const MAX_SEEN_MS = 500

/** Time limit of what all members have to see. */
const PATIENCE_MS = 120_000

async function run({ effort, signal }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const row = await measure(sizes, signal)
  return {
    notes: notes(sizes),
    tables: [
      tableOf(`${row.members} members join at once, and one after the other`, [row], {
        'until all see all (ms)': 'allSeenMs',
        'notices per join': 'noticesPerJoin',
        'a join is seen, p50 (ms)': ({ join }) => join.p50,
        'p99 (ms)': ({ join }) => join.p99
      }),
      tableOf(`${row.members} members stay`, [row], {
        ...{ 'renewals per second': 'renewals', 'notices per member and second': 'notices' },
        ...{ 'processor time per member (ms/s)': 'cpuMs', 'sent per member (kB/s)': 'sentKB' }
      })
    ],
    goals: [
      goal(`all see all within ${ms(MAX_ALL_SEEN_MS)}`, row.allSeenMs, atMost(MAX_ALL_SEEN_MS), ms),
      goal(`all see a join within ${ms(MAX_SEEN_MS)}`, row.join.p99, atMost(MAX_SEEN_MS), ms),
      all('members see all others at the end', row.complete, row.members)
    ]
  }
}

async function measure(sizes: Sizes, signal: AbortSignal) {
  const { processes: count, perProcess, ttl, joins, forMs } = sizes
  await using stack = new AsyncDisposableStack()
  const processes = Array.from({ length: count }, () => stack.use(nodesProcess({ signal })))
  const members = count * perProcess
  await start(processes, perProcess)

  const complete = async (): Promise<number> => {
    const sizes = await Promise.all(processes.map((each) => each.call('seenMembers')))
    return sizes.flat().filter((size) => size === members).length
  }
  const untilComplete = (): Promise<void> =>
    until('all see all', async () => (await complete()) === members, PATIENCE_MS)

  const begun = await costOf(processes)
  const startMs = performance.now()
  await Promise.all(processes.map((each) => each.call('joinRoom', ttl)))
  await untilComplete()
  const allSeenMs = performance.now() - startMs
  const joined = await costOf(processes)
  await takeDelays(processes)

  for (let i = 0; i < joins; i++) {
    await processes[i % count]?.call('joinRoomAgain', Math.floor(i / count) % perProcess)
    await untilComplete()
  }

  const join = summaryOf(await takeDelays(processes))
  const before = await costOf(processes)
  await passed(forMs, undefined, { signal })
  const after = await costOf(processes)
  const perSecond = (of: keyof typeof after): number =>
    (after[of] - before[of]) / members / (forMs / 1000)

  return {
    ...{ members, allSeenMs, join, complete: await complete() },
    noticesPerJoin: (joined.notices - begun.notices) / members,
    renewals: (2 * members) / ttl,
    notices: perSecond('notices'),
    cpuMs: perSecond('cpuMs'),
    sentKB: perSecond('bytes') / 1000
  }
}

/** Starts as many servers in each process, which know each other. Pings cost them more than all that is measured. */
async function start(processes: readonly NodesProcess[], perProcess: number): Promise<void> {
  const libp2pOptions = { connectionMonitor: { enabled: false } }
  let initialPeers: string[] = []

  for (const each of processes) {
    const options = { initialPeers, libp2pOptions }
    const addresses = await each.call('start', { count: perProcess, options })
    initialPeers = initialPeers.length > 0 ? initialPeers : (addresses[0] ?? [])
  }

  const others = processes.length * perProcess - 1
  await Promise.all(processes.map((each) => each.call('settle', others)))
}

/** Milliseconds from joins until others saw them, since they were taken last. */
async function takeDelays(processes: readonly NodesProcess[]): Promise<number[]> {
  return (await Promise.all(processes.map((each) => each.call('takeJoinDelays')))).flat()
}

async function costOf(processes: readonly NodesProcess[]) {
  const costs = await Promise.all(processes.map((each) => each.call('served')))
  return {
    cpuMs: totalOf(costs, ({ cpuMs }) => cpuMs),
    bytes: totalOf(costs, ({ bytes }) => bytes),
    notices: totalOf(costs, ({ notices }) => notices)
  }
}

function notes({ processes, perProcess, ttl, joins, forMs }: Sizes): string[] {
  return [
    `${processes * perProcess} nodes in ${processes} processes on loopback, all of them servers. Each joins one room with a ttl of ${ttl} s and watches it. The time until all see all runs from the first join. A notice is one message that tells one member of changes. ` +
      `Then ${joins} members leave and join again, one after the other, and each other member notes when it sees that.`,
    `Costs are taken for ${forMs / 1000} s in which entries are only renewed: processor time of whole nodes, and bytes that they send in replies and notices. libp2p's pings are switched off: each of the ${processes * perProcess} nodes has nearly as many connections, on one machine.`
  ]
}
