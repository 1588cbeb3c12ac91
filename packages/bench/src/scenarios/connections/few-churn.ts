import { tableOf } from '../../result/build.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { churnCounts, measureChurn } from '../churn/churn.ts'
import { COMPARED, noWorse } from './no-worse.ts'
import { WATERMARKS } from './watermarks.ts'

/** Takes some minutes. */
export const fewChurn: Scenario = {
  name: 'few-churn',
  title: 'The scenario churn with few connections, next to the default.',
  isLong: true,
  run
}

/** The sizes of `churn`, with twice as many peers for a shorter time. */
const SIZES = {
  full: {
    ...{ peers: 64, kills: 6, everyMs: 10_000, forMs: 60_000 },
    ...{ records: 500, brief: 25, briefTtl: 10, rate: 20 },
    watchedByClient: { lasting: 100, brief: 25 },
    watchedByPeer: { lasting: 4, brief: 1 }
  },
  quick: {
    ...{ peers: 5, kills: 1, everyMs: 1500, forMs: 3000 },
    ...{ records: 20, brief: 4, briefTtl: 2, rate: 20 },
    watchedByClient: { lasting: 10, brief: 4 },
    watchedByPeer: { lasting: 2, brief: 1 }
  }
}

async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const { peers, kills, everyMs, forMs, ...sizes } = SIZES[effort]
  const rows = await Array.fromAsync(WATERMARKS, async ({ connections, servers }) => {
    const all = { peers, kills, everyMs, forMs, ...sizes }
    const outcome = await measureChurn(all, { ...options, connections })
    return { servers, killed: outcome.killed, ...churnCounts(outcome) }
  })

  return {
    notes: [
      `${COMPARED} As in [churn](#churn), with ${peers} peers in processes of their own, of which ${kills} are killed and replaced every ${everyMs / 1000} s for ${forMs / 1000} s. A read is right if it finds the last acknowledged value or, without \`latest\`, an older one that lives. A failed write is an error of a running peer, or a store that resolved with false.`
    ],
    tables: [
      tableOf('Churn', rows, {
        ...{ 'servers at most': 'servers', 'peers killed': 'killed' },
        ...{ writes: 'writes', 'failed writes': 'failedWrites', reads: 'asked', right: 'right' },
        ...{ 'of nothing': 'missing', 'watched keys': 'watched', 'final states missed': 'missed' }
      })
    ],
    goals: [
      noWorse('failed writes', rows, ({ failedWrites }) => failedWrites),
      noWorse('wrong and failed reads', rows, ({ asked, right }) => asked - right),
      noWorse('missed final states', rows, ({ missed }) => missed)
    ]
  }
}
