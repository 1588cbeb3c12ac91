import { randomUUID } from 'node:crypto'
import { type Found, getDHTTime } from '@waggle/dht'
import type { PeerProcess } from '../../peers/peer-process.ts'
import { type Random, sample } from '../../workload/random.ts'
import type { KillSchedule } from './kill-schedule.ts'

/** The sizes of Hivemind's benchmark_dht.py, by its names for them. */
export interface Workload {
  readonly peers: number
  readonly initialPeers: number
  readonly threads: number
  readonly rounds: number
  readonly storePeers: number
  readonly getPeers: number
  readonly failureRate: number
}

const EXPIRATION_SECONDS = 300

/** How often something was tried, how often it went right, and what was wrong otherwise. */
export interface Attempts {
  readonly tried: number
  readonly right: number
  readonly faults: readonly string[]
}

export interface Round {
  /** Until the slowest of its writers was done, killing included. */
  readonly storeMs: number
  readonly stores: Attempts

  /** Until the slowest of its readers was done. */
  readonly getMs: number
  readonly gets: Attempts
}

export interface WorkloadInit {
  readonly workload: Workload

  /** Those that are not to be killed: only they store and get. */
  readonly clients: readonly PeerProcess[]
  readonly kills: KillSchedule
  readonly random: Random
  readonly signal: AbortSignal
}

/** The rounds of each "thread", all threads running side by side. */
export function runThreads(init: WorkloadInit): Promise<Round[][]> {
  return Promise.all(Array.from({ length: init.workload.threads }, () => runThread(init)))
}

async function runThread(init: WorkloadInit): Promise<Round[]> {
  const rounds: Round[] = []

  for (let i = 0; i < init.workload.rounds; i++) {
    init.signal.throwIfAborted()
    rounds.push(await runRound(init))
  }

  return rounds
}

async function runRound({ workload, clients, kills, random }: WorkloadInit): Promise<Round> {
  const key = randomUUID()
  const values = new Map<unknown, string>()

  const start = performance.now()
  const stores = await attempts(
    sample(clients, workload.storePeers, random).map((peer) => storeAt(peer, key, values))
  )
  kills.tick()
  const stored = performance.now()
  const expected = { values, subkeys: stores.right }
  const gets = await attempts(
    sample(clients, workload.getPeers, random).map((peer) => getAt(peer, key, expected))
  )

  return { storeMs: stored - start, stores, getMs: performance.now() - stored, gets }
}

/** Undefined if it went right, else what was wrong. */
type Outcome = string | undefined

async function storeAt(
  peer: PeerProcess,
  key: string,
  values: Map<unknown, string>
): Promise<Outcome> {
  const subkey = randomUUID()
  const value = randomUUID()
  values.set(subkey, value)
  const expirationTime = getDHTTime() + EXPIRATION_SECONDS
  return (await peer.call('store', { key, subkey, value, expirationTime })) ? undefined : 'refused'
}

async function getAt(
  peer: PeerProcess,
  key: string,
  expected: { values: ReadonlyMap<unknown, string>; subkeys: number }
): Promise<Outcome> {
  return faultOf(await peer.call('get', { key, latest: true }), expected)
}

/** A dictionary is right if it has as many subkeys as were stored, each with its value. */
function faultOf(
  found: Found | undefined,
  { values, subkeys }: { values: ReadonlyMap<unknown, string>; subkeys: number }
): Outcome {
  if (!(found?.value instanceof Map)) {
    return 'nothing found'
  }

  if (found.value.size !== subkeys) {
    return `${found.value.size} of ${subkeys} subkeys`
  }

  const isEachRight = [...found.value].every(([subkey, { value }]) => values.get(subkey) === value)
  return isEachRight ? undefined : 'another value'
}

async function attempts(tries: readonly Promise<Outcome>[]): Promise<Attempts> {
  const outcomes = await Promise.all(
    tries.map((attempt) => attempt.catch((error) => String(error)))
  )
  const faults = outcomes.filter((outcome) => outcome !== undefined)
  return { tried: outcomes.length, right: outcomes.length - faults.length, faults }
}
