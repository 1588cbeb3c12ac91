import { setTimeout as passed } from 'node:timers/promises'
import { nodesProcess } from '../nodes/nodes-process.ts'
import { atMost, goal, none, same, tableOf } from '../result/build.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../result/result.ts'
import { percentile, totalOf } from '../workload/statistics.ts'

/** Takes some minutes. */
export const frozen: Scenario = {
  name: 'frozen',
  title: 'Calls while some servers are stopped without a word, as a paused machine is.',
  isLong: true,
  run
}

/** Servers, how many of them are frozen, and for how long. */
const PLANS = {
  full: {
    networks: [5, 8, 20].flatMap((servers) => [1, 2].map((n) => [servers, n])),
    forMs: 60_000
  },
  quick: { networks: [[3, 1]], forMs: 2000 }
}

const PAUSE_MS = 250
const TTL = 3600
const MAX_CALL_MS = 800

interface Row {
  readonly network: string
  readonly frozen: number
  readonly kind: string
  readonly calls: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly slow: number
  readonly failed: number
}

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const { forMs, networks } = PLANS[effort]
  const rows: Row[] = []

  for (const network of networks) {
    const measured = await measure(network, forMs, signal)
    rows.push(...measured)
    log(measured.map(({ kind, network, slow }) => `${network}: ${kind} ${slow} slow`).join(', '))
  }

  const table = tableOf('Calls of one client', rows, {
    ...same('network', 'kind', 'calls'),
    ...{ 'p50 (ms)': 'p50Ms', 'p99 (ms)': 'p99Ms', failed: 'failed', 'longer than 0.8 s': 'slow' }
  })
  return { notes: notes(forMs), tables: [table], goals: goals(rows) }
}

async function measure(
  [servers = 0, frozen = 0]: readonly number[],
  forMs: number,
  signal: AbortSignal
): Promise<Row[]> {
  await using processes = new AsyncDisposableStack()
  const start = async (count: number, initialPeers: string[], clientMode = false) => {
    const process = processes.use(nodesProcess({ signal }))
    const addresses = await process.call('start', { count, options: { initialPeers, clientMode } })
    return { process, addresses: addresses[0] ?? [] }
  }
  const awake = await start(servers - frozen, [])
  const others = await Promise.all(Array.from({ length: frozen }, () => start(1, awake.addresses)))
  const { process: client } = await start(1, awake.addresses, true)
  await Promise.all([awake, ...others].map(({ process }) => process.call('settle', servers - 1)))
  await client.call('store', { key: 'before', value: 'here', ttl: TTL })

  for (const {
    process: { pid }
  } of others) {
    process.kill(pid, 'SIGSTOP')
  }

  const operations = {
    store: (i) => client.call('store', { key: `after ${i}`, value: i, ttl: TTL }),
    miss: async (i) => !(await client.call('get', { key: `never ${i}`, latest: false })),
    latest: async () => (await client.call('get', { key: 'before', latest: true })) !== undefined
  } satisfies Record<string, (i: number) => Promise<boolean>>
  const network = `${servers} servers, ${frozen} frozen`
  return await Promise.all(
    Object.entries(operations).map(async ([kind, operate]) => {
      const { latencies, failed } = await repeat(operate, forMs)
      return {
        ...{ network, frozen, kind, failed, calls: latencies.length },
        ...{ p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) },
        slow: latencies.filter((ms) => ms > MAX_CALL_MS).length
      }
    })
  )
}

/** Calls a function repeatedly for some time; resolves with the milliseconds of each call. */
async function repeat(operate: (i: number) => Promise<boolean>, forMs: number) {
  const latencies: number[] = []
  const endMs = performance.now() + forMs
  let failed = 0

  while (performance.now() < endMs) {
    const startMs = performance.now()
    const isRight = await operate(latencies.length).catch(() => false)
    latencies.push(performance.now() - startMs)
    failed += Number(!isRight)
    await passed(PAUSE_MS)
  }

  return { latencies, failed }
}

function goals(rows: readonly Row[]): Goal[] {
  return [
    none(
      'every call succeeds, and no answer is wrong',
      totalOf(rows, ({ failed }) => failed),
      totalOf(rows, ({ calls }) => calls)
    ),
    goal(
      `at most one call for each frozen server and kind takes longer than ${MAX_CALL_MS} ms`,
      Math.max(...rows.map(({ frozen, slow }) => slow / frozen)),
      atMost(1)
    )
  ]
}

function notes(forMs: number): string[] {
  return [
    `A client calls three kinds of operations at the same time, each ${1000 / PAUSE_MS} times a second at most, for ${forMs / 1000} s: it stores, reads keys that nobody has stored, and reads a key with latest. Some servers are stopped (SIGSTOP) just before, and stay so. The times include the way to the process of the client and back.`
  ]
}
