import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { seededRandom } from '../../workload/random.ts'
import { Ledger } from './ledger.ts'
import { missedBy } from './missed.ts'
import { Population } from './population.ts'
import { resultOf } from './result.ts'
import { Traffic } from './traffic.ts'
import { type Share, Watchers } from './watchers.ts'

export interface ChurnSizes {
  readonly peers: number

  /** How many of them are killed and replaced at a time, and how often. */
  readonly killed: number
  readonly everyMs: number
  readonly forMs: number
  readonly records: number

  /** Records besides these that are only stored, deleted and watched, and how many seconds they live. */
  readonly brief: number
  readonly briefTtl: number

  /** What a client watches that stays, and each of the peers. */
  readonly watchedByClient: Share
  readonly watchedByPeer: Share

  /** Reads and writes a second. */
  readonly rate: number
}

const FULL: ChurnSizes = {
  peers: 32,
  killed: 3,
  everyMs: 10_000,
  forMs: 300_000,
  records: 500,
  brief: 25,
  briefTtl: 10,
  watchedByClient: { lasting: 100, brief: 25 },
  watchedByPeer: { lasting: 4, brief: 1 },
  rate: 40
}

const QUICK: ChurnSizes = {
  peers: 7,
  killed: 1,
  everyMs: 1500,
  forMs: 4000,
  records: 20,
  brief: 4,
  briefTtl: 2,
  watchedByClient: { lasting: 10, brief: 4 },
  watchedByPeer: { lasting: 2, brief: 1 },
  rate: 20
}

const SEED = 30

/** Takes more than five minutes. */
export const churn: Scenario = {
  name: 'churn',
  title:
    'Whether records outlive their peers, and changes reach who watches: some are killed and replaced again and again',
  run: (options) => run(options.effort === 'full' ? FULL : QUICK, options)
}

async function run(sizes: ChurnSizes, { signal, log }: RunOptions): Promise<ScenarioResult> {
  const random = seededRandom(SEED)
  const ledger = new Ledger({ ...sizes, lasting: sizes.records })
  const watchers = new Watchers({ ledger, random, signal })
  await using population = new Population({
    random,
    signal,
    onJoin: (process) => watchers.add('peers that come and go', process, sizes.watchedByPeer)
  })
  await population.grow(sizes.peers)
  await watchers.add('a client that stays', await population.client(), sizes.watchedByClient)
  log(`${sizes.peers} peers`)

  const traffic = new Traffic({ population, ledger, random, signal })
  await traffic.writeAll()
  log(`${ledger.keys.length} records`)

  const churning = new AbortController()
  const ended = AbortSignal.any([churning.signal, signal])
  const busy = traffic.goOn(sizes.rate, ended)

  try {
    await population.churn(sizes, (dead) => log(`killed ${dead} peers`))
  } finally {
    churning.abort()
    await busy
  }

  const settledMs = await watchers.settle()
  const peers = population.members.map(({ process }) => process)
  const missed = await missedBy(watchers, ledger, peers)
  log(`${missed.length} final states are missed after ${Math.round(settledMs)} ms`)
  await traffic.readAll()
  const watched = { watchers, settledMs, missed, isBrief: (key: string) => ledger.isBrief(key) }
  return resultOf(sizes, { traffic, dead: population.dead, watched })
}
