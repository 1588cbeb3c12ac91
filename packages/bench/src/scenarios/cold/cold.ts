import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CACHING } from '../../processes/child.ts'
import { atMost, goal, megabytes, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { WAGGLE } from '../../systems/contestants.ts'
import { Network } from '../../systems/network.ts'
import { isValueFor, KeyNumbers, keyFor } from '../../workload/records.ts'
import { median, medianOf } from '../../workload/statistics.ts'

/** Measures programs that have just started: their first operations, and their memory. */
export const cold: Scenario = {
  name: 'cold',
  title: 'A program that has just started: time to the first get, first operations, idle memory.',
  run
}

/** Rounds, servers of each process, operations of each kind, and programs that start in each round. */
const PLANS = {
  full: { rounds: 3, nodesOfProcesses: [5, 5, 5, 5], count: 200, programs: 3 },
  quick: { rounds: 1, nodesOfProcesses: [3, 2], count: 3, programs: 1 }
} as const

const PROGRAM = fileURLToPath(new URL('program.mjs', import.meta.url))

/** The bundle of the library, as it is published, and no other option. */
const FLAGS = ['--conditions=@waggle/bundle']

/** Milliseconds that a program may run. */
const PROGRAM_MS = 60_000

/** Milliseconds of the import, joining and the first get. */
const MAX_START_MS = 250

/** Milliseconds of a store, the median without warm-up. */
const MAX_STORE_MS = 1

/** Megabytes of an idle node, and of all servers. */
const MAX_NODE_MB = 75
const MAX_SERVERS_MB = 450

/** Figures that a program tells of itself. */
interface Start {
  readonly coldMs: number
  readonly rssBytes: number
}

type Round = Awaited<ReturnType<typeof measure>>

async function run(options: RunOptions): Promise<ScenarioResult> {
  const { rounds } = PLANS[options.effort]
  const measured: Round[] = []

  for (let round = 1; round <= rounds; round++) {
    options.log(`round ${round} of ${rounds}`)
    measured.push(await measure(options))
  }

  const row = {
    store: medianOf(measured, ({ storeMs }) => storeMs),
    get: medianOf(measured, ({ getMs }) => getMs),
    start: medianOf(measured, ({ startMs }) => startMs),
    node: megabytes(medianOf(measured, ({ nodeBytes }) => nodeBytes)),
    servers: megabytes(medianOf(measured, ({ serversBytes }) => serversBytes)),
    loaded: megabytes(medianOf(measured, ({ loadedBytes }) => loadedBytes))
  }

  return {
    notes: [
      'The programs are plain JavaScript. They use the bundles, as they are published, and the compile cache of Node; the first one of a round may fill it. The time to the first get includes the import, joining, and the get, but not the start of Node. Memory is read after a second without work.',
      'Operations run one by one in a client that has just joined 20 servers in 4 processes, which have just started, too. Nothing was warmed up. Figures are medians over the rounds.'
    ],
    tables: [
      tableOf('Without warm-up', [row], {
        'import, join and first get (ms)': 'start',
        'store p50 (ms)': 'store',
        'get p50 (ms)': 'get',
        'resident memory of one idle node (MB)': 'node',
        'of the 4 processes with servers (MB)': 'servers',
        'after the operations (MB)': 'loaded'
      })
    ],
    goals: goals(row)
  }
}

/** Measures the first operations of a network, and then programs that join it. */
async function measure({ effort, signal }: RunOptions) {
  const { nodesOfProcesses, count, programs } = PLANS[effort]
  await using network = await Network.start({ contestant: WAGGLE, nodesOfProcesses, signal })
  const { client, place } = network
  const serversBytes = (await network.serversUsage()).rssBytes
  const keys = new KeyNumbers().take(count)
  const [store, get] = [
    await client.call('run', { operation: 'store', keys, inFlight: 1 }),
    await client.call('run', { operation: 'get', keys, inFlight: 1 })
  ]
  const loadedBytes = (await network.serversUsage()).rssBytes
  const starts = []

  for (let i = 0; i < programs; i++) {
    starts.push(await runProgram(place.bootstrap[0] ?? '', keys[0] ?? 0, signal))
  }

  return {
    storeMs: median(store.latenciesMs),
    getMs: median(get.latenciesMs),
    startMs: medianOf(starts, ({ coldMs }) => coldMs),
    nodeBytes: medianOf(starts, ({ rssBytes }) => rssBytes),
    serversBytes,
    loadedBytes
  }
}

/** Runs a program that joins through an address, reads the key of a number, and is then idle. */
async function runProgram(address: string, key: number, signal: AbortSignal): Promise<Start> {
  const args = [...FLAGS, PROGRAM, address, keyFor(key)]
  const options = { env: CACHING, signal, timeout: PROGRAM_MS }
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  const { value, ...start } = JSON.parse(stdout) as Start & { value: number[] }

  if (!isValueFor(key, Uint8Array.from(value))) {
    throw new Error('the program has not found the value')
  }

  return start
}

function goals(row: Readonly<Record<'store' | 'start' | 'node' | 'servers', number>>): Goal[] {
  const ms = (value: number): string => `${figure(value)} ms`
  const mb = (value: number): string => `${figure(value)} MB`
  return [
    goal(
      `import, join and first get of a new program: at most ${MAX_START_MS} ms`,
      row.start,
      atMost(MAX_START_MS),
      ms
    ),
    goal(
      `200 stores without warm-up: p50 at most ${MAX_STORE_MS} ms`,
      row.store,
      atMost(MAX_STORE_MS),
      ms
    ),
    goal(`one idle node: at most ${MAX_NODE_MB} MB`, row.node, atMost(MAX_NODE_MB), mb),
    goal(
      `4 processes with 5 nodes each: at most ${MAX_SERVERS_MB} MB`,
      row.servers,
      atMost(MAX_SERVERS_MB),
      mb
    )
  ]
}
