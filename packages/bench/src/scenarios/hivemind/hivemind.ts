import { type NodesProcess, nodesProcess } from '../../nodes/nodes-process.ts'
import { same, tableOf } from '../../result/build.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { type Random, sample, seededRandom } from '../../workload/random.ts'
import { summaryOf, total, totalOf } from '../../workload/statistics.ts'
import { killSchedule, type Round, runThreads, WORKLOADS, type Workload } from './workload.ts'

export const hivemind: Scenario = {
  name: 'hivemind',
  title: "Hivemind's own benchmark: many peers write and read dictionaries, and some are killed.",
  run
}

/** Hivemind's default. */
const SEED = 30

type Measured = Awaited<ReturnType<typeof measure>>

/** Reports the figures that benchmark_dht.py prints. */
async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const workload = WORKLOADS[effort]
  const measured = await measure(workload, options)
  const rows = (['store', 'get'] as const).map((half) => rowOf(half, measured.rounds, workload))

  return {
    notes: notes(workload, measured.rounds),
    tables: tables(rows, measured),
    goals: goals(rows, measured)
  }
}

async function measure(workload: Workload, { signal, log }: Omit<RunOptions, 'effort'>) {
  const random = seededRandom(SEED)
  await using processes = new AsyncDisposableStack()
  const peers = Array.from({ length: workload.peers }, () =>
    processes.use(nodesProcess({ signal }))
  )
  await start(peers, workload.initialPeers, random)
  log(`${peers.length} peers run`)

  const victims = sample(peers, Math.ceil(workload.failureRate * peers.length), random)
  const onStored = killSchedule(victims, workload.threads * workload.rounds, random)
  const clients = peers.filter((peer) => !victims.includes(peer))
  const startMs = performance.now()
  const rounds = await runThreads({ workload, clients, onStored, random, signal })
  const seconds = (performance.now() - startMs) / 1000
  const alive = peers.filter(({ isRunning }) => isRunning).length
  const killed = victims.filter(({ isRunning }) => !isRunning).length

  return { ...workload, rounds, roundsEach: workload.rounds, seconds, killed, alive }
}

/** Starts one peer after another, each with a few of the running ones as initial peers, as Hivemind does. */
async function start(peers: readonly NodesProcess[], count: number, random: Random): Promise<void> {
  const addresses: string[][] = []

  for (const peer of peers) {
    const initialPeers = sample(addresses, count, random).flat()
    addresses.push(...(await peer.call('start', { options: { initialPeers } })))
  }
}

function rowOf(operation: 'store' | 'get', rounds: readonly Round[], { threads }: Workload) {
  const halves = rounds.map((round) => round[operation])
  const timesMs = halves.map(({ tookMs }) => tookMs)
  const tried = totalOf(halves, (half) => half.tried)
  const right = tried - totalOf(halves, ({ faults }) => faults.length)

  return {
    operation: operation === 'get' ? 'get latest' : operation,
    ...summaryOf(timesMs),
    ...{ perWorker: total(timesMs) / threads, total: total(timesMs) },
    ...{ tried, right, success: (100 * right) / tried }
  }
}

type Rows = readonly ReturnType<typeof rowOf>[]

function tables(rows: Rows, measured: Measured): Table[] {
  return [
    tableOf('Wall time of a round, and right answers', rows, {
      operation: 'operation',
      'mean (ms)': 'mean',
      'std (ms)': 'deviation',
      'p50 (ms)': 'p50',
      'max (ms)': 'max',
      'per worker (ms)': 'perWorker',
      'total (ms)': 'total',
      ...same('tried', 'right'),
      'success (%)': 'success'
    }),
    tableOf('The run', [measured], {
      ...same('peers', 'threads'),
      'rounds each': 'roundsEach',
      'total time (s)': 'seconds',
      killed: 'killed',
      'alive in the end': 'alive',
      'survival (%)': ({ alive, peers }) => (100 * alive) / peers
    })
  ]
}

function goals(rows: Rows, { peers, failureRate, killed, alive }: Measured): Goal[] {
  return [
    ...rows.map(({ operation, tried, right }) => ({
      text: `100 % of ${operation === 'store' ? 'stores' : 'gets'} right while ${100 * failureRate} % of the peers are killed`,
      measured: `${right} of ${tried} with ${killed} of ${peers} killed`,
      isMet: right === tried && killed >= failureRate * peers
    })),
    {
      text: 'no peer ends unless it is killed',
      measured: `${alive} of ${peers} alive, ${killed} killed`,
      isMet: alive + killed === peers
    }
  ]
}

function notes(workload: Workload, all: readonly Round[]): string[] {
  const { peers, threads, rounds, storePeers, getPeers, initialPeers } = workload
  const faults = Map.groupBy(
    all.flatMap(({ store, get }) => [...store.faults, ...get.faults]),
    (fault) => fault
  )
  const counts = Array.from(faults, ([fault, { length }]) => `${fault} (${length} times)`)

  return [
    `The workload of Hivemind's benchmarks/benchmark_dht.py: ${peers} peers, a process each, on one machine; ${threads} threads of ${rounds} rounds. In each round ${storePeers} random peers store a subkey of their own under one new key; then ${getPeers} random peers get it with latest. The wall time of a round runs until the slowest peer is done and includes the way between the driving process and the peers.`,
    `Each peer joined through ${initialPeers} running ones. Peers are killed by SIGKILL at random rounds, between storing and getting. As in Hivemind's benchmark, the peers to be killed store and get nothing, but hold records. Hivemind's survival rate counts dead peers, too; ours does not.`,
    'A get is right if it shows exactly the stored subkeys, each with its value.',
    ...(counts.length > 0 ? [`Faults: ${counts.join('; ')}.`] : [])
  ]
}
