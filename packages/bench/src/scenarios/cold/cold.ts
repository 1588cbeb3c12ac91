import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundleCommand } from '../../processes/bundles.ts'
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
  title:
    'A program that has just started: time to the first get, first operations, idle memory, the command.',
  run
}

/** Rounds, servers of each process, operations of each kind, and programs that start in each round. */
const PLANS = {
  full: { rounds: 3, nodesOfProcesses: [5, 5, 5, 5], count: 200, programs: 3 },
  quick: { rounds: 1, nodesOfProcesses: [3, 2], count: 3, programs: 1 }
} as const

const COMMAND = fileURLToPath(new URL('../../../../cli/bin/waggle.js', import.meta.url))
const PROGRAM = fileURLToPath(new URL('program.mjs', import.meta.url))

/** The bundle of the library, as it is published, and no other option. */
const FLAGS = ['--conditions=@waggle/bundle']

/** Milliseconds that a program may run. */
const PROGRAM_MS = 60_000

/** Milliseconds of the import, joining and the first get. */
const MAX_START_MS = 250

/** Milliseconds of the command `waggle get`, from the start of its process to its end. */
const MAX_COMMAND_MS = 200

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
  await bundleCommand()
  const measured: Round[] = []

  for (let round = 1; round <= rounds; round++) {
    options.log(`round ${round} of ${rounds}`)
    measured.push(await measure(options))
  }

  const row = {
    store: medianOf(measured, ({ storeMs }) => storeMs),
    get: medianOf(measured, ({ getMs }) => getMs),
    start: medianOf(measured, ({ startMs }) => startMs),
    command: medianOf(measured, ({ commandMs }) => commandMs),
    node: megabytes(medianOf(measured, ({ nodeBytes }) => nodeBytes)),
    servers: megabytes(medianOf(measured, ({ serversBytes }) => serversBytes)),
    loaded: megabytes(medianOf(measured, ({ loadedBytes }) => loadedBytes))
  }

  return {
    notes: [
      'The programs are plain JavaScript. They use the bundles, as they are published, and the compile cache of Node; the first one of a round may fill it. The time to the first get includes the import, joining, and the get, but not the start of Node. `waggle get` is the command in a process of its own, from its start to its end. Memory is read after a second without work.',
      'Operations run one by one in a client that has just joined 20 servers in 4 processes, which have just started, too. Nothing was warmed up. Figures are medians over the rounds.'
    ],
    tables: [
      tableOf('Without warm-up', [row], {
        'import, join and first get (ms)': 'start',
        'waggle get (ms)': 'command',
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
  const [address = ''] = place.bootstrap
  const [key = 0] = keys
  const starts = []
  const commandsMs = []

  for (let i = 0; i < programs; i++) {
    starts.push(await runProgram(address, key, signal))
    commandsMs.push(await runCommand(address, key, signal))
  }

  return {
    storeMs: median(store.latenciesMs),
    getMs: median(get.latenciesMs),
    startMs: medianOf(starts, ({ coldMs }) => coldMs),
    commandMs: median(commandsMs),
    nodeBytes: medianOf(starts, ({ rssBytes }) => rssBytes),
    serversBytes,
    loadedBytes
  }
}

/** Runs a program that joins through an address, reads the key of a number, and is then idle. */
async function runProgram(address: string, key: number, signal: AbortSignal): Promise<Start> {
  const stdout = await outputOf([...FLAGS, PROGRAM, address, keyFor(key)], signal)
  const { value, ...start } = JSON.parse(stdout.toString()) as Start & { value: number[] }
  assertFound(key, Uint8Array.from(value))
  return start
}

/** Runs `waggle get` for the key of a number; resolves with the milliseconds that its process took. */
async function runCommand(address: string, key: number, signal: AbortSignal): Promise<number> {
  const args = [COMMAND, 'get', keyFor(key), '--raw', '--initial-peers', address]
  const startMs = performance.now()
  const value = await outputOf(args, signal)
  const tookMs = performance.now() - startMs
  assertFound(key, value)
  return tookMs
}

/** Runs Node with Node's compile cache; resolves with the process's output. */
async function outputOf(args: readonly string[], signal: AbortSignal): Promise<Buffer> {
  const options = { encoding: 'buffer', env: CACHING, signal, timeout: PROGRAM_MS } as const
  return (await promisify(execFile)(process.execPath, args, options)).stdout
}

function assertFound(key: number, value: Uint8Array): void {
  if (!isValueFor(key, value)) {
    throw new Error('the program has not found the value')
  }
}

function goals(
  row: Readonly<Record<'store' | 'start' | 'command' | 'node' | 'servers', number>>
): Goal[] {
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
      `waggle get, its whole process: at most ${MAX_COMMAND_MS} ms`,
      row.command,
      atMost(MAX_COMMAND_MS),
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
