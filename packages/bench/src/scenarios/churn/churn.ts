import { seededRandom } from '../../figures/random.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../interface.ts'
import { Ledger } from './ledger.ts'
import { Population } from './population.ts'
import { resultOf } from './result.ts'
import { Traffic } from './traffic.ts'

export interface ChurnSizes {
  readonly peers: number

  /** How many of them are killed and replaced at a time, and how often. */
  readonly killed: number
  readonly everyMs: number
  readonly forMs: number
  readonly records: number

  /** Reads and writes a second. */
  readonly rate: number
}

const FULL: ChurnSizes = {
  peers: 32,
  killed: 3,
  everyMs: 10_000,
  forMs: 300_000,
  records: 500,
  rate: 40
}

const QUICK: ChurnSizes = {
  peers: 7,
  killed: 1,
  everyMs: 1500,
  forMs: 4000,
  records: 20,
  rate: 20
}

const SEED = 30

/** Takes more than five minutes. */
export const churn: Scenario = {
  name: 'churn',
  title: 'Whether records outlive their peers: some are killed and replaced again and again',
  run: (options) => run(options.effort === 'full' ? FULL : QUICK, options)
}

async function run(sizes: ChurnSizes, { signal, log }: RunOptions): Promise<ScenarioResult> {
  const random = seededRandom(SEED)
  await using population = new Population({ random, signal })
  await population.grow(sizes.peers)
  log(`${sizes.peers} peers`)

  const ledger = new Ledger(sizes.records)
  const traffic = new Traffic({ population, ledger, random, signal })
  await traffic.writeAll()
  log(`${sizes.records} records`)

  const churning = new AbortController()
  const ended = AbortSignal.any([churning.signal, signal])
  const busy = traffic.goOn(sizes.rate, ended)

  try {
    await population.churn(sizes, (dead) => log(`killed ${dead} peers`))
  } finally {
    churning.abort()
    await busy
  }

  await traffic.readAll()
  return resultOf(sizes, { traffic, dead: population.dead })
}
