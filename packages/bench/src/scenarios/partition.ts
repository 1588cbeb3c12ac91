import { setTimeout as passed } from 'node:timers/promises'
import type { DHTOptions, StoreEntry } from '@waggle/dht'
import { FEW_CONNECTIONS } from '../nodes/memory-node.ts'
import { type NodesProcess, nodesProcess, storeAll } from '../nodes/nodes-process.ts'
import { NO_SEPARATE_HOST, SeparateHost } from '../processes/separate-host.ts'
import { atMost, type Columns, goal, none, tableOf } from '../result/build.ts'
import { figure } from '../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../result/result.ts'
import { totalOf } from '../workload/statistics.ts'

/** Takes some minutes, and root. */
export const partition: Scenario = {
  name: 'partition',
  title: 'Two halves of a network that are cut apart, written to, and joined again.',
  isLong: true,
  run
}

/** Nodes of each half, the duration of the cut, and values that each half writes before and during it. */
const SIZES = {
  full: { nodes: 16, cutMs: 60_000, records: 50 },
  quick: { nodes: 2, cutMs: 1500, records: 5 }
}

type Sizes = typeof SIZES.full

interface PartitionOptions extends Omit<RunOptions, 'effort'> {
  /** Connections that each node keeps. */
  readonly connections: DHTOptions['connections']
}

/** Processes of each half. Events of a single process would come in one order. */
const PROCESSES = 2

/** Seconds that values live: longer than the run. */
const TTL = 3600

/** Time limit of a join on a busy machine and of the merge, and the pause between reads. */
const PATIENCE_MS = 120_000
const PAUSE_MS = 250
const MAX_JOINED_MS = 30_000

export type PartitionFigures = Awaited<ReturnType<typeof cutAndJoin>>

async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  using host = await SeparateHost.start(options)
  const connections = FEW_CONNECTIONS
  const figures = host && (await cutAndJoin(sizes, host, { ...options, connections }))
  const tables = figures === undefined ? [] : [partitionTable([figures])]

  return { notes: notes(sizes), tables, goals: goals(figures) }
}

/** Cuts a network into two halves and joins them again. */
export async function cutAndJoin(
  { nodes, cutMs, records }: Sizes,
  host: SeparateHost,
  { connections, signal, log }: PartitionOptions
) {
  await using processes = new AsyncDisposableStack()
  const initialPeers: string[] = []
  const startHalf = async (address: string, at?: SeparateHost): Promise<NodesProcess[]> => {
    const options = { signal, ...(at && { host: at }) }
    const started = Array.from({ length: PROCESSES }, () => nodesProcess(options))
    const half = started.map((process) => processes.use(process))

    for (const process of half) {
      const options = {
        ...{ listenOn: `${address}:0`, initialPeers: [...initialPeers] },
        connections,
        bootstrapTimeoutMs: PATIENCE_MS
      }
      const addresses = await process.call('start', { count: nodes / PROCESSES, options })
      initialPeers.push(...addresses.flat())
    }

    return half
  }
  const here = await startHalf(host.ownAddress)
  const there = await startHalf(host.address, host)
  const all = [...here, ...there]
  await Promise.all(all.map((process) => process.call('settle', 2 * nodes - 1)))
  const before = entriesOf('whole', records)
  await storeAll(here, before, nodes)
  log(`${2 * nodes} nodes`)

  host.pull()
  const [near, far] = [entriesOf('near half', records), entriesOf('far half', records)]
  const cut = passed(cutMs, undefined, { signal })
  const [nearWritten, farWritten] = await Promise.all([
    storeAll(here, near, nodes),
    storeAll(there, far, nodes)
  ])
  log('both halves were written to')
  await cut
  const missingApart = (await missing(here, near)) + (await missing(there, far))

  host.plug()
  const written = [...before, ...near, ...far]
  const startMs = performance.now()
  const joinedMs = () => performance.now() - startMs
  let missingAtEnd = await missing(all, written)

  while (missingAtEnd > 0 && joinedMs() < PATIENCE_MS) {
    log(`${missingAtEnd} not found after ${Math.round(joinedMs())} ms`)
    await passed(PAUSE_MS, undefined, { signal })
    missingAtEnd = await missing(all, written)
  }

  return {
    ...{ written: written.length, writtenApart: near.length + far.length, missingApart },
    ...{ acknowledged: nearWritten + farWritten, missingAtEnd },
    joinedMs: missingAtEnd === 0 ? joinedMs() : Number.POSITIVE_INFINITY
  }
}

/** Makes the writes of one half: values of its own, and one subkey in each dictionary that both halves write to. */
function entriesOf(half: string, records: number): StoreEntry[] {
  return Array.from({ length: records }, (_, i) => [
    { key: `${half} ${i}`, value: `value ${i} of the ${half}`, ttl: TTL },
    { key: `shared ${i}`, value: `by the ${half}`, subkey: half, ttl: TTL }
  ]).flat()
}

/** Reads entries from all nodes; resolves with the number of wrong reads. */
async function missing(half: readonly NodesProcess[], entries: readonly StoreEntry[]) {
  const wrong = await Promise.all(half.map((process) => process.call('missing', entries)))
  return totalOf(wrong, (count) => count)
}

/** Counts writes, and wrong reads: pairs of a node and an entry that it does not find. */
export function partitionTable<R extends PartitionFigures>(
  rows: readonly R[],
  columns: Columns<R> = {}
): Table {
  return tableOf('Two halves', rows, {
    ...columns,
    'written apart': 'writtenApart',
    acknowledged: 'acknowledged',
    'not found in its own half': 'missingApart',
    'written in all': 'written',
    'not found in the end': 'missingAtEnd',
    'everything found everywhere after (s)': ({ missingAtEnd, joinedMs }) =>
      missingAtEnd === 0 ? joinedMs / 1000 : null
  })
}

function goals(figures: PartitionFigures | undefined): Goal[] {
  const lost = figures && figures.writtenApart - figures.acknowledged + figures.missingApart

  return [
    none(
      'each half goes on by itself: every write is acknowledged and found in it',
      lost ?? NO_SEPARATE_HOST,
      figures?.writtenApart
    ),
    goal(
      `joined again, every node finds everything within ${MAX_JOINED_MS / 1000} s`,
      figures?.joinedMs ?? NO_SEPARATE_HOST,
      atMost(MAX_JOINED_MS),
      (value) => (Number.isFinite(value) ? `${figure(value / 1000)} s` : 'not at all')
    )
  ]
}

function notes({ nodes, cutMs, records }: Sizes): string[] {
  return [
    `Two halves of ${nodes} nodes run in two processes each, every node with connections to 16 servers at most, the second half in a network namespace of its own. The cable between them is pulled for ${cutMs / 1000} s and plugged in again. Before, ${records} values and one subkey in each of ${records} dictionaries are written; meanwhile each half writes as many values of its own, and another subkey in each of these dictionaries.`,
    'Then every node reads everything, again and again, until all reads are right. The time includes these reads.'
  ]
}
