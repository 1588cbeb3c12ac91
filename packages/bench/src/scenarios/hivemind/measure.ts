import type { RunOptions } from '../../result/result.ts'
import { type Random, sample, seededRandom } from '../../workload/random.ts'
import { type BenchPeer, type Contestant, peerOf } from './contestants.ts'
import { killSchedule, type Round, runThreads, type Workload } from './workload.ts'

/** Hivemind's default. */
const SEED = 30

/** One system's run of the workload. */
export interface Measured {
  readonly system: string
  readonly rounds: readonly Round[]
  readonly seconds: number
  readonly killed: number
  readonly alive: number
}

/** Runs the workload on the peers of one system. */
export async function measure(
  contestant: Contestant,
  workload: Workload,
  { signal, log }: Omit<RunOptions, 'effort'>
): Promise<Measured> {
  const random = seededRandom(SEED)
  await using processes = new AsyncDisposableStack()
  const peers = Array.from({ length: workload.peers }, () =>
    processes.use(peerOf(contestant, { signal }))
  )
  await start(peers, workload.initialPeers, random)
  log(`${peers.length} peers of ${contestant.name} run`)

  const victims = sample(peers, Math.ceil(workload.failureRate * peers.length), random)
  const onStored = killSchedule(victims, workload.threads * workload.rounds, random)
  const clients = peers.filter((peer) => !victims.includes(peer))
  const startMs = performance.now()
  const rounds = await runThreads({ workload, clients, onStored, random, signal })
  const seconds = (performance.now() - startMs) / 1000
  const alive = peers.filter(({ isRunning }) => isRunning).length
  const killed = victims.filter(({ isRunning }) => !isRunning).length

  return { system: contestant.name, rounds, seconds, killed, alive }
}

/** Starts one peer after another, each with a few of the running ones as initial peers, as Hivemind does. */
async function start(peers: readonly BenchPeer[], count: number, random: Random): Promise<void> {
  const addresses: string[][] = []

  for (const peer of peers) {
    const initialPeers = sample(addresses, count, random).flat()
    addresses.push(...(await peer.call('start', { options: { initialPeers } })))
  }
}
