import type { Key, StoreEntry } from '@waggle/dht'
import { type NodesProcess, nodesProcess, storeAll } from '../nodes/nodes-process.ts'
import { all, atMost, goal, tableOf } from '../result/build.ts'
import { figure } from '../result/figure.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { summaryOf } from '../workload/statistics.ts'

/** Measures the cost of one subkey of a full dictionary for its reader and the servers. */
export const subkeys: Scenario = {
  name: 'subkeys',
  title: 'Reads of one subkey of a full dictionary.',
  run
}

const SIZES = {
  full: { subkeys: 4096, valueBytes: 230, reads: 2000, wholeReads: 20, warmUp: 200 },
  quick: { subkeys: 64, valueBytes: 230, reads: 20, wholeReads: 2, warmUp: 2 }
}

type Sizes = typeof SIZES.full

const SERVERS = 5
const KEY = 'dictionary'
const SMALL = 'small'
const TTL = 3600

/** Factors by which one subkey may cost more than a value of the same size. */
const MAX_BYTES = 1.5
const MAX_TIME = 1.5

interface Wanted {
  readonly read: string
  readonly key: Key
  readonly subkey?: Key
  readonly count: number
}

type Row = Wanted & Awaited<ReturnType<typeof costOf>>

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  await using servers = nodesProcess({ signal })
  await using reader = nodesProcess({ signal })
  const addresses = await servers.call('start', { count: SERVERS, options: {} })
  await servers.call('settle', SERVERS - 1)
  const options = { clientMode: true, cache: false as const, initialPeers: addresses.flat() }
  await reader.call('start', { options })
  const entries = entriesOf(sizes)
  const stored = await storeAll([servers], entries, 1)
  log('the dictionary is full')
  const rows: Row[] = []

  for (const wanted of readsOf(sizes)) {
    await reader.call('timeGets', { ...wanted, count: Math.min(sizes.warmUp, wanted.count) })
    rows.push({ ...wanted, ...(await costOf({ servers, reader }, wanted)) })
  }

  return resultOf(sizes, rows, { stored, entries: entries.length })
}

function entriesOf({ subkeys, valueBytes }: Sizes): StoreEntry[] {
  const value = 'x'.repeat(valueBytes)
  const places = Array.from({ length: subkeys }, (_, subkey) => ({ key: KEY, subkey }))
  return [{ key: SMALL }, ...places].map((place) => ({ ...place, value, ttl: TTL }))
}

function readsOf({ subkeys, reads, wholeReads }: Sizes): Wanted[] {
  return [
    { read: 'a value', key: SMALL, count: reads },
    { read: `one subkey of ${figure(subkeys)}`, key: KEY, subkey: subkeys >> 1, count: reads },
    { read: 'the whole dictionary', key: KEY, count: wholeReads }
  ]
}

async function costOf(
  { servers, reader }: Readonly<Record<'servers' | 'reader', NodesProcess>>,
  wanted: Wanted
) {
  const before = await servers.call('served')
  const { p50, p95 } = summaryOf(await reader.call('timeGets', wanted))
  const after = await servers.call('served')
  return {
    ...{ p50, p95 },
    bytes: (after.bytes - before.bytes) / wanted.count,
    cpuUs: (1000 * (after.cpuMs - before.cpuMs)) / wanted.count
  }
}

function resultOf(
  { subkeys, valueBytes }: Sizes,
  rows: readonly Row[],
  { stored, entries }: { stored: number; entries: number }
): ScenarioResult {
  const [value, subkey] = rows
  const ratio = (of: 'p50' | 'bytes'): number | undefined =>
    value && subkey && subkey[of] / value[of]
  const times = (factor: number): string => `${figure(factor)} ×`

  return {
    notes: [
      `${SERVERS} servers in one process on loopback, and a client without a cache in another, which reads one after the other. The dictionary has ${figure(subkeys)} subkeys with ${valueBytes} bytes each, and so has the value. Bytes are those that servers send in replies, and processor time is that of all servers, connections included.`
    ],
    tables: [
      tableOf('Reads', rows, {
        ...{ read: 'read', 'p50 (ms)': 'p50', 'p95 (ms)': 'p95', 'bytes sent': 'bytes' },
        'processor time of servers (µs)': 'cpuUs'
      })
    ],
    goals: [
      all('entries stored', stored, entries),
      goal(
        `one subkey takes at most ${MAX_BYTES} × the bytes of a value`,
        ratio('bytes'),
        atMost(MAX_BYTES),
        times
      ),
      goal(
        `one subkey takes at most ${MAX_TIME} × the time of a value (p50)`,
        ratio('p50'),
        atMost(MAX_TIME),
        times
      )
    ]
  }
}
