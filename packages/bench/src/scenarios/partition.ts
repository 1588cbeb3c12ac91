import { setTimeout as passed } from 'node:timers/promises'
import type { StoreEntry } from '@waggle/dht'
import { type NodesProcess, nodesProcess } from '../nodes/nodes-process.ts'
import { NO_SEPARATE_HOST, SeparateHost } from '../processes/separate-host.ts'
import { atMost, goal, none, tableOf } from '../result/build.ts'
import { figure } from '../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { total } from '../workload/statistics.ts'

/** Takes some minutes, and root. */
export const partition: Scenario = {
  name: 'partition',
  title: 'Two halves of a network that are cut apart, written to, and joined again.',
  isLong: true,
  run
}

/** Nodes of each half, the time of the cut, and values that each half writes before it and during it. */
const SIZES = {
  full: { nodes: 16, cutMs: 60_000, records: 50 },
  quick: { nodes: 2, cutMs: 1500, records: 5 }
}

type Sizes = typeof SIZES.full

/** Processes of each half: events of a single process come in one order. */
const PROCESSES = 2

/** Seconds that values live: longer than the run. */
const TTL = 3600

/** Time limit for growing together, and the pause between reads. */
const PATIENCE_MS = 120_000
const PAUSE_MS = 250
const MAX_JOINED_MS = 30_000

type Figures = Awaited<ReturnType<typeof cutAndJoin>>

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  using host = await SeparateHost.start({ signal })
  const figures = host && (await cutAndJoin(sizes, host, { signal, log }))

  return {
    notes: notes(sizes),
    tables: figures === undefined ? [] : [table(figures)],
    goals: goals(figures)
  }
}

async function cutAndJoin(
  { nodes, cutMs, records }: Sizes,
  host: SeparateHost,
  { signal, log }: Pick<RunOptions, 'signal' | 'log'>
) {
  await using processes = new AsyncDisposableStack()
  const addresses: string[] = []
  const startHalf = async (address: string, at?: SeparateHost): Promise<NodesProcess[]> => {
    const half = Array.from({ length: PROCESSES }, () =>
      processes.use(nodesProcess({ signal, ...(at && { host: at }) }))
    )

    for (const process of half) {
      const options = { listenOn: `${address}:0`, initialPeers: [...addresses] }
      addresses.push(...(await process.call('start', { count: nodes / PROCESSES, options })).flat())
    }

    return half
  }
  const here = await startHalf(host.ownAddress)
  const there = await startHalf(host.address, host)
  const all = [...here, ...there]
  await Promise.all(all.map((process) => process.call('settle', 2 * nodes - 1)))
  const before = entriesOf('whole', records)
  await write(here, before)
  log(`${2 * nodes} nodes`)

  host.pull()
  const startMs = performance.now()
  const halves = [
    { half: here, entries: entriesOf('near half', records) },
    { half: there, entries: entriesOf('far half', records) }
  ]
  const written = await Promise.all(halves.map(({ half, entries }) => write(half, entries)))
  log('both halves were written to')
  await passed(Math.max(0, cutMs - (performance.now() - startMs)), undefined, { signal })
  const apart = await Promise.all(halves.map(({ half, entries }) => missing(half, entries)))

  host.plug()
  const apartEntries = halves.flatMap(({ entries }) => entries)
  const entries = [...before, ...apartEntries]
  return {
    written: entries.length,
    writtenApart: apartEntries.length,
    acknowledged: total(written),
    missingApart: total(apart),
    ...(await readAll(() => missing(all, entries), { signal, log }))
  }
}

/** Makes what one half writes: values of its own, and one subkey in each dictionary that both halves write to. */
function entriesOf(half: string, records: number): StoreEntry[] {
  return Array.from({ length: records }, (_, i) => [
    { key: `${half} ${i}`, value: `value ${i} of the ${half}`, ttl: TTL },
    { key: `shared ${i}`, value: `by the ${half}`, subkey: half, ttl: TTL }
  ]).flat()
}

/** Writes entries from all nodes of a half; resolves with the number of acknowledged ones. */
async function write(half: readonly NodesProcess[], entries: readonly StoreEntry[]) {
  const stored = half.map((process, n) => {
    const share = entries.filter((_, i) => i % half.length === n)
    return process.call('storeAll', { entries: share, from: Number.MAX_SAFE_INTEGER })
  })
  return total(await Promise.all(stored))
}

async function missing(half: readonly NodesProcess[], entries: readonly StoreEntry[]) {
  return total(await Promise.all(half.map((process) => process.call('missing', entries))))
}

/** Reads everything from every node until all reads are right, or patience ends. */
async function readAll(
  missing: () => Promise<number>,
  { signal, log }: Pick<RunOptions, 'signal' | 'log'>
) {
  const startMs = performance.now()

  for (;;) {
    const missingAtEnd = await missing()
    const joinedMs = performance.now() - startMs
    log(`${missingAtEnd} not found after ${Math.round(joinedMs)} ms`)

    if (missingAtEnd === 0 || joinedMs > PATIENCE_MS) {
      return { joinedMs, missingAtEnd }
    }

    await passed(PAUSE_MS, undefined, { signal })
  }
}

/** Counts writes, and wrong reads: pairs of a node and an entry that it does not find. */
function table(figures: Figures) {
  return tableOf('Two halves', [figures], {
    'written apart': 'writtenApart',
    acknowledged: 'acknowledged',
    'not found in its own half': 'missingApart',
    'written in all': 'written',
    'not found in the end': 'missingAtEnd',
    'everything found everywhere after (s)': ({ missingAtEnd, joinedMs }) =>
      missingAtEnd === 0 ? joinedMs / 1000 : null
  })
}

function goals(figures: Figures | undefined): Goal[] {
  const {
    writtenApart = 0,
    acknowledged = 0,
    missingApart = 0,
    missingAtEnd,
    joinedMs
  } = figures ?? {}
  const lost = writtenApart - acknowledged + missingApart

  return [
    none(
      'each half goes on by itself: every write is acknowledged and found in it',
      figures === undefined ? NO_SEPARATE_HOST : lost,
      writtenApart
    ),
    goal(
      `joined again, every node finds everything within ${MAX_JOINED_MS / 1000} s`,
      missingAtEnd === 0 ? joinedMs : figures ? Number.POSITIVE_INFINITY : NO_SEPARATE_HOST,
      atMost(MAX_JOINED_MS),
      (value) => (Number.isFinite(value) ? `${figure(value / 1000)} s` : 'not at all')
    )
  ]
}

function notes({ nodes, cutMs, records }: Sizes): string[] {
  return [
    `Two halves of ${nodes} nodes run in two processes each, the second half in a network namespace of its own. The cable between them is pulled for ${cutMs / 1000} s and plugged in again. Before, ${records} values and one subkey in each of ${records} dictionaries are written; meanwhile each half writes as many values of its own, and another subkey in each of these dictionaries.`,
    'Then every node reads everything, again and again, until all reads are right. The time includes these reads.'
  ]
}
