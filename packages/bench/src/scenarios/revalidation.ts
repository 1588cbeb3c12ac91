import type { StoreEntry } from '@waggle/dht'
import { type NodesProcess, nodesProcess, storeAll } from '../nodes/nodes-process.ts'
import { all, atMost, goal, tableOf } from '../result/build.ts'
import { figure } from '../result/figure.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { summaryOf } from '../workload/statistics.ts'

/** The cost to a reader of learning that a value is unchanged. */
export const revalidation: Scenario = {
  name: 'revalidation',
  title: 'Comparing a remembered value, which is unchanged, with that of a replica.',
  run
}

const READS = { full: { reads: 2000, warmUp: 200 }, quick: { reads: 20, warmUp: 2 } }
const SERVERS = 5
const VALUE_BYTES = [100, 100_000]
const TTL = 3600

/** Bytes of a reply that says that a value is unchanged. */
const MAX_BYTES = 50

async function run({ effort, signal }: RunOptions): Promise<ScenarioResult> {
  const { reads, warmUp } = READS[effort]
  await using servers = nodesProcess({ signal })
  await using reader = nodesProcess({ signal })
  await using forgetful = nodesProcess({ signal })
  const addresses = await servers.call('start', { count: SERVERS, options: {} })
  await servers.call('settle', SERVERS - 1)
  const options = { clientMode: true, initialPeers: addresses.flat() }
  await reader.call('start', { options })
  await forgetful.call('start', { options: { ...options, cache: false as const } })
  const stored = await storeAll([servers], VALUE_BYTES.map(entryOf), 1)
  const rows: Awaited<ReturnType<typeof costOf>>[] = []

  for (const valueBytes of VALUE_BYTES) {
    for (const [read, client] of [['anew', forgetful] as const, ['compared', reader] as const]) {
      await client.call('timeGets', { key: keyOf(valueBytes), count: warmUp, maxAge: 0 })
      rows.push(await costOf({ servers, client }, { read, valueBytes, count: reads }))
    }
  }

  const compared = rows.filter(({ read }) => read === 'compared').map(({ bytes }) => bytes)
  return {
    notes: [
      `${SERVERS} servers in one process on loopback, and two clients in others, which read one after the other with \`maxAge: 0\`. One remembers nothing and reads anew; the other compares what it remembers. Bytes are those that servers send in replies.`
    ],
    tables: [
      tableOf('Reads of an unchanged value', rows, {
        ...{ 'bytes of the value': 'valueBytes', read: 'read' },
        ...{ 'p50 (ms)': 'p50', 'p95 (ms)': 'p95', 'bytes sent': 'bytes' }
      })
    ],
    goals: [
      all('values stored', stored, VALUE_BYTES.length),
      goal(
        `a reply to a comparison takes at most ${MAX_BYTES} bytes`,
        Math.max(...compared),
        atMost(MAX_BYTES),
        (bytes) => `${figure(bytes)} bytes`
      )
    ]
  }
}

function keyOf(valueBytes: number): string {
  return `a value of ${valueBytes} bytes`
}

function entryOf(valueBytes: number): StoreEntry {
  return { key: keyOf(valueBytes), value: 'x'.repeat(valueBytes), ttl: TTL }
}

async function costOf(
  { servers, client }: Readonly<Record<'servers' | 'client', NodesProcess>>,
  row: { readonly read: string; readonly valueBytes: number; readonly count: number }
) {
  const { count, valueBytes } = row
  const before = await servers.call('served')
  const { p50, p95 } = summaryOf(
    await client.call('timeGets', { key: keyOf(valueBytes), count, maxAge: 0 })
  )
  const after = await servers.call('served')
  return { ...row, p50, p95, bytes: (after.bytes - before.bytes) / count }
}
