import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { type PeerProcess, peerProcess } from '../../peers/peer-process.ts'
import { type Random, sample, seededRandom } from '../../workload/random.ts'
import { KillSchedule } from './kill-schedule.ts'
import { resultOf } from './result.ts'
import { runThreads, type Workload } from './workload.ts'

/** Hivemind's defaults, and what it takes to see that everything works. */
const WORKLOADS: Readonly<Record<RunOptions['effort'], Workload>> = {
  full: {
    peers: 16,
    initialPeers: 4,
    threads: 10,
    rounds: 16,
    storePeers: 8,
    getPeers: 8,
    failureRate: 0.1
  },
  quick: {
    peers: 5,
    initialPeers: 4,
    threads: 2,
    rounds: 2,
    storePeers: 3,
    getPeers: 3,
    failureRate: 0.2
  }
}

/** Hivemind's own default. */
const SEED = 30

export const hivemind: Scenario = {
  name: 'hivemind',
  title:
    "Hivemind's own benchmark: dictionaries written and read by many peers, some of which are killed",
  run
}

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const workload = WORKLOADS[effort]
  const random = seededRandom(SEED)
  await using processes = new AsyncDisposableStack()
  const peers = await startPeers(workload, { processes, random, signal })
  log(`${peers.length} peers run`)

  const victims = sample(peers, Math.ceil(workload.failureRate * peers.length), random)
  const kills = new KillSchedule(victims, { rounds: workload.threads * workload.rounds, random })
  const clients = peers.filter((peer) => !victims.includes(peer))

  const start = performance.now()
  const threads = await runThreads({ workload, clients, kills, random, signal })
  const totalMs = performance.now() - start

  const killed = await kills.killed()
  const alive = peers.filter(({ isRunning }) => isRunning).length
  return resultOf({ workload, threads, totalMs, killed, alive })
}

/** One after another, each told of a few that run by then, as Hivemind has it. */
async function startPeers(
  { peers: count, initialPeers }: Workload,
  {
    processes,
    random,
    signal
  }: { processes: AsyncDisposableStack; random: Random; signal: AbortSignal }
): Promise<PeerProcess[]> {
  const peers = Array.from({ length: count }, () => processes.use(peerProcess({ signal })))
  const addresses: string[][] = []

  for (const peer of peers) {
    const known = sample(addresses, initialPeers, random).flat()
    addresses.push(await peer.call('start', { initialPeers: known }))
  }

  return peers
}
