import { goal, tableOf } from '../../result/build.ts'
import type { Goal, RunOptions, Table } from '../../result/result.ts'
import { summaryOf } from '../../workload/statistics.ts'
import { type Contestant, HIVEMIND, PYTHON, peerOf } from './contestants.ts'

/** Keys that a client stores and gets, by effort. The first ones warm it up. */
const KEYS = { full: 300, quick: 20 }

/** Share of the calls that are not counted. */
const WARM_UP = 1 / 3

/** The p50 of @waggle/hivemind is at most so many times that of Python. */
const MAX_RATIO = 1.5

/** Times of one client's calls. */
export interface Latency {
  readonly system: string
  readonly storeMs: readonly number[]
  readonly getMs: readonly number[]
}

/** Has a client of each system store and get keys at one Python peer, one client after the other. */
export async function measureLatency(
  systems: readonly Contestant[],
  { effort, signal }: RunOptions
): Promise<Latency[]> {
  const python = systems.find(({ name }) => name === PYTHON)

  if (python === undefined) {
    return []
  }

  await using server = peerOf(python, { signal })
  const [initialPeers = []] = await server.call('start', { options: {} })
  const all: Latency[] = []

  for (const system of systems.filter(({ name }) => name === PYTHON || name === HIVEMIND)) {
    await using client = peerOf(system, { signal })
    await client.call('start', { options: { initialPeers, clientMode: true, cache: false } })
    const count = KEYS[effort]
    const { storeMs, getMs } = await client.call('timeCalls', { count, prefix: system.name })
    const from = Math.floor(count * WARM_UP)
    all.push({ system: system.name, storeMs: storeMs.slice(from), getMs: getMs.slice(from) })
  }

  return all
}

export function latencyTables(all: readonly Latency[]): Table[] {
  const rows = all.flatMap(({ system, storeMs, getMs }) => [
    { system, operation: 'store', ...summaryOf(storeMs) },
    { system, operation: 'get latest', ...summaryOf(getMs) }
  ])

  return rows.length === 0
    ? []
    : [
        tableOf('One key at a Python peer', rows, {
          client: 'system',
          operation: 'operation',
          'p50 (ms)': 'p50',
          'mean (ms)': 'mean',
          'max (ms)': 'max'
        })
      ]
}

export function latencyGoals(all: readonly Latency[]): Goal[] {
  const [ours, python] = [HIVEMIND, PYTHON].map((name) => all.find(({ system }) => system === name))
  return (['storeMs', 'getMs'] as const).map((operation) =>
    goal(
      `${HIVEMIND}: p50 of a ${operation === 'storeMs' ? 'store' : 'get'} at a Python peer is at most ${MAX_RATIO} times that of a Python client`,
      ours === undefined || python === undefined
        ? 'not measured: WAGGLE_HIVEMIND_PYTHON names no Python with hivemind'
        : summaryOf(ours[operation]).p50 / summaryOf(python[operation]).p50,
      (ratio) => ratio <= MAX_RATIO
    )
  )
}
