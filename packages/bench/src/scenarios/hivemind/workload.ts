import { randomUUID } from 'node:crypto'
import { getDHTTime } from '@waggle/dht'
import { type Random, sample } from '../../workload/random.ts'
import type { BenchPeer } from './contestants.ts'

/** Sizes of Hivemind's benchmark_dht.py, under its names: its defaults, and a quick run. */
export const WORKLOADS = {
  full: {
    ...{ peers: 16, initialPeers: 4, threads: 10, rounds: 16 },
    ...{ storePeers: 8, getPeers: 8, failureRate: 0.1 }
  },
  quick: {
    ...{ peers: 5, initialPeers: 4, threads: 2, rounds: 2 },
    ...{ storePeers: 3, getPeers: 3, failureRate: 0.2 }
  }
}

export type Workload = typeof WORKLOADS.full

const EXPIRATION_SECONDS = 300

/** One half of a round: its time until the slowest peer was done, and its faults. */
export interface Half {
  readonly tookMs: number
  readonly tried: number
  readonly faults: readonly string[]
}

export interface Round {
  readonly store: Half
  readonly get: Half
}

export interface WorkloadInit {
  readonly workload: Workload

  /** Peers that store and get: those that are not scheduled to be killed. */
  readonly clients: readonly BenchPeer[]

  /** Called after the stores of each round: kills a peer in some of them. */
  readonly onStored: () => Promise<void>
  readonly random: Random
  readonly signal: AbortSignal
}

/** Runs all "threads" side by side; resolves with the rounds of all. */
export async function runThreads(init: WorkloadInit): Promise<Round[]> {
  const threads = Array.from({ length: init.workload.threads }, async () => {
    const rounds: Round[] = []

    while (rounds.length < init.workload.rounds) {
      init.signal.throwIfAborted()
      rounds.push(await runRound(init))
    }

    return rounds
  })

  return (await Promise.all(threads)).flat()
}

async function runRound({ workload, clients, onStored, random }: WorkloadInit): Promise<Round> {
  const key = randomUUID()
  const values = new Map<unknown, string>()
  const store = await runHalf(sample(clients, workload.storePeers, random), async (peer) => {
    const [subkey, value] = [randomUUID(), randomUUID()]
    values.set(subkey, value)
    const expirationTime = getDHTTime() + EXPIRATION_SECONDS
    const isStored = await peer.call('store', { key, subkey, value, expirationTime })
    return isStored ? undefined : 'refused'
  })
  const killed = onStored()
  const subkeys = store.tried - store.faults.length
  const get = await runHalf(sample(clients, workload.getPeers, random), async (peer) => {
    const found = await peer.call('get', { key, latest: true })
    return faultOf(found?.value, values, subkeys)
  })

  await killed
  return { store, get }
}

/** Runs a step on each peer that resolves with a fault, if there is one. */
async function runHalf(
  peers: readonly BenchPeer[],
  run: (peer: BenchPeer) => Promise<string | undefined>
): Promise<Half> {
  const start = performance.now()
  const outcomes = await Promise.all(peers.map((peer) => run(peer).catch(String)))
  const faults = outcomes.filter((outcome) => outcome !== undefined)
  return { tookMs: performance.now() - start, tried: outcomes.length, faults }
}

/** Describes the fault of a dictionary, which must have every stored subkey with its value, and no other. */
function faultOf(found: unknown, values: ReadonlyMap<unknown, string>, subkeys: number) {
  if (!Array.isArray(found)) {
    return 'nothing found'
  }

  if (found.length !== subkeys) {
    return `${found.length} of ${subkeys} subkeys`
  }

  const isRight = found.every(([subkey, { value }]) => values.get(subkey) === value)
  return isRight ? undefined : 'another value'
}

/** Returns a function that counts a round, and kills the next victim if the round is one of those drawn. */
export function killSchedule(
  victims: readonly { kill(): Promise<void> }[],
  rounds: number,
  random: Random
): () => Promise<void> {
  const left = [...victims]
  const drawn = new Set(sample([...Array(rounds).keys()], victims.length, random))
  let round = 0

  return async () => {
    await (drawn.has(round++) && left.pop()?.kill())
  }
}
