import { Child, nodeCommand } from '../../processes/child.ts'
import { atMost, goal, megabytes, none, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { meanOf, totalOf } from '../../workload/statistics.ts'
import type { SoakHandlers } from './soak-main.ts'

/** Takes half an hour. */
export const soak: Scenario = {
  name: 'soak',
  title: 'Memory and handles under mixed load, while nodes come and go.',
  isLong: true,
  run
}

/** Minutes of a full run; `WAGGLE_SOAK_MINUTES` changes them. */
const { WAGGLE_SOAK_MINUTES: MINUTES = '30' } = process.env

/** Processes, nodes and workers of each, and the time between replacements of a node. */
const SIZES = {
  full: { hosts: 4, nodes: 4, forMs: Number(MINUTES) * 60_000, everyMs: 20_000, workers: 4 },
  quick: { hosts: 2, nodes: 2, forMs: 4000, everyMs: 1000, workers: 2 }
}

type Sizes = typeof SIZES.full

/** Time after which memory must be level; in a shorter run, a third of it. */
const SETTLED_AFTER_MS = 300_000

/** Maximum growth of the mean memory from the first half of the remaining time to the second. */
const MAX_GROWTH = 1.1
const ROWS = 12
const COMMAND = nodeCommand(new URL('soak-main.ts', import.meta.url))

type Host = Child<SoakHandlers>

/** State of all processes together at one time. */
type Look = Awaited<ReturnType<typeof look>>

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  await using processes = new AsyncDisposableStack()
  const hosts: Host[] = []
  const initialPeers: string[] = []

  for (let seed = 0; seed < sizes.hosts; seed++) {
    const host: Host = processes.use(new Child(COMMAND, { signal }))
    const addresses = await host.call('start', { count: sizes.nodes, initialPeers, seed })
    initialPeers.push(...addresses)
    hosts.push(host)
  }

  const looks = await work(hosts, sizes, log)
  await Promise.all(hosts.map((host) => host.call('stop')))
  return resultOf(sizes, looks, await look(hosts, sizes.forMs))
}

/** Runs the load in all processes and samples their state at intervals. */
async function work(
  hosts: readonly Host[],
  { forMs, everyMs, workers }: Sizes,
  log: (line: string) => void
): Promise<Look[]> {
  const startMs = performance.now()
  const looks: Look[] = []

  for (let turn = 0; performance.now() - startMs < forMs; turn++) {
    await Promise.all([
      hosts[turn % hosts.length]?.call('replace'),
      ...hosts.map((host) => host.call('work', { forMs: everyMs, workers }))
    ])
    const next = await look(hosts, performance.now() - startMs)
    looks.push(next)
    const { after, memory, handles, operations, failures } = next
    log(
      `${after} s: ${figure(memory)} MB, ${handles} handles, ${operations} operations, ${failures} failed`
    )
  }

  return looks
}

async function look(hosts: readonly Host[], afterMs: number) {
  const states = await Promise.all(hosts.map((host) => host.call('state')))
  const sum = (which: 'usedBytes' | 'operations' | 'failures' | 'replaced' | 'unhandled') =>
    totalOf(states, (state) => state[which])

  return {
    after: Math.round(afterMs / 1000),
    memory: megabytes(sum('usedBytes')),
    handles: totalOf(states, ({ resources }) => resources.length),
    operations: sum('operations'),
    failures: sum('failures'),
    replaced: sum('replaced'),
    unhandled: sum('unhandled')
  }
}

function resultOf(sizes: Sizes, looks: readonly Look[], atEnd: Look): ScenarioResult {
  const step = Math.max(1, Math.ceil(looks.length / ROWS))
  const rows = looks.filter((_, i) => i % step === 0 || i === looks.length - 1)
  const { hosts, nodes, forMs, everyMs } = sizes

  return {
    notes: [
      `${hosts * nodes} nodes in ${hosts} processes store, get, delete, and store and get many, for ${figure(forMs / 60_000)} minutes at a steady rate. Every ${everyMs / 1000} s one node is stopped and another started. Values expire after a minute, so as much goes as comes. Memory is heap and buffers of all processes after garbage collection. Handles are what Node counts as such (sockets, servers, timers), without the pipes of the processes.`,
      'In the end all nodes are stopped.'
    ],
    tables: [
      tableOf('Over time', rows, {
        ...{ 'after (s)': 'after', 'memory (MB)': 'memory', handles: 'handles' },
        ...{ operations: 'operations', failed: 'failures', 'nodes replaced': 'replaced' }
      })
    ],
    goals: goals(sizes, looks, atEnd)
  }
}

function goals({ forMs }: Sizes, looks: readonly Look[], atEnd: Look): Goal[] {
  const settledAfter = Math.min(SETTLED_AFTER_MS, forMs / 3) / 1000
  const settled = looks.filter(({ after }) => after > settledAfter)
  const half = Math.floor(settled.length / 2)
  const mean = (of: readonly Look[]): number => meanOf(of.map(({ memory }) => memory))
  const { failures = 0, operations = 0 } = looks.at(-1) ?? {}

  return [
    goal(
      'memory is level after the first five minutes',
      mean(settled.slice(half)) / mean(settled.slice(0, half)),
      atMost(MAX_GROWTH),
      (value) => `the second half of the rest has ${figure(value)} × the memory of the first`
    ),
    none('no handle is left when all nodes are stopped', atEnd.handles),
    none('no rejection is unhandled', atEnd.unhandled),
    none('no operation fails', failures, operations + failures)
  ]
}
