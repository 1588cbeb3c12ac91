import { Child, nodeCommand } from '../../processes/child.ts'
import { NO_SEPARATE_HOST, SeparateHost } from '../../processes/separate-host.ts'
import { goal, same, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult, Table } from '../../result/result.ts'
import { churnCounts, measureChurn } from '../churn/churn.ts'
import { LIES, type Lie } from '../liars/lies.ts'
import type { LiarsHandlers } from '../liars/network-main.ts'
import { cutAndJoin, type PartitionFigures } from '../partition.ts'
import { WATERMARKS, type Watermark } from './watermarks.ts'

/** Takes ten minutes, and root for the partition. */
export const connections: Scenario = {
  name: 'connections',
  title: 'Churn, a partition and liars in networks whose nodes keep few connections.',
  isLong: true,
  run
}

/** The sizes of the scenarios `churn`, `partition` and `liars`, with 64 nodes each. */
const SIZES = {
  full: {
    churn: {
      ...{ peers: 64, kills: 6, everyMs: 10_000, forMs: 60_000 },
      ...{ records: 500, brief: 25, briefTtl: 10, rate: 40 },
      watchedByClient: { lasting: 100, brief: 25 },
      watchedByPeer: { lasting: 4, brief: 1 }
    },
    partition: { nodes: 32, cutMs: 30_000, records: 50 },
    liars: { nodes: 64, share: 0.3, reads: 250 }
  },
  quick: {
    churn: {
      ...{ peers: 5, kills: 1, everyMs: 1500, forMs: 3000 },
      ...{ records: 20, brief: 4, briefTtl: 2, rate: 20 },
      watchedByClient: { lasting: 10, brief: 4 },
      watchedByPeer: { lasting: 2, brief: 1 }
    },
    partition: { nodes: 2, cutMs: 1500, records: 5 },
    liars: { nodes: 8, share: 0.3, reads: 20 }
  }
}

type Sizes = typeof SIZES.full
type Options = Omit<RunOptions, 'effort'>
type Of<F> = F & Pick<Watermark, 'servers'>
type Churned = Of<ReturnType<typeof churnCounts>> & { readonly killed: number }
type Lied = Of<Awaited<ReturnType<LiarsHandlers['measure']>>> & { readonly lie: Lie }

const TIMEOUT_MS = 3_600_000

async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const churned: Churned[] = []
  const joined: Of<PartitionFigures>[] = []
  const lied: Lied[] = []

  for (const { connections, servers } of WATERMARKS) {
    const outcome = await measureChurn(sizes.churn, { ...options, connections })
    churned.push({ servers, killed: outcome.killed, ...churnCounts(outcome) })
    options.log(`at most ${servers}: ${JSON.stringify(churned.at(-1))}`)
  }

  for (const { connections, servers } of WATERMARKS) {
    using host = await SeparateHost.start(options)
    const figures = host && (await cutAndJoin(sizes.partition, host, { ...options, connections }))
    joined.push(...(figures === undefined ? [] : [{ servers, ...figures }]))
    options.log(`at most ${servers}: ${JSON.stringify(joined.at(-1))}`)
  }

  for (const watermark of WATERMARKS) {
    lied.push(...(await lies(sizes.liars, watermark, options)))
  }

  return resultOf(sizes, { churned, joined, lied })
}

/** Reads among each kind of liars, in a network of its own. */
async function lies(
  { nodes, share, reads }: Sizes['liars'],
  { connections, servers }: Watermark,
  { signal, log }: Options
): Promise<Lied[]> {
  const command = nodeCommand(new URL('../liars/network-main.ts', import.meta.url))
  const lied: Lied[] = []

  for (const lie of LIES) {
    await using network = new Child<LiarsHandlers>(command, { signal, timeoutMs: TIMEOUT_MS })
    await network.call('start', { count: nodes, connections })
    const load = { lie, count: Math.round(share * nodes), reads }
    lied.push({ servers, lie, ...(await network.call('measure', load)) })
    log(`at most ${servers}: ${JSON.stringify(lied.at(-1))}`)
  }

  return lied
}

interface Figures {
  readonly churned: readonly Churned[]
  readonly joined: readonly Of<PartitionFigures>[]
  readonly lied: readonly Lied[]
}

function resultOf(sizes: Sizes, { churned, joined, lied }: Figures): ScenarioResult {
  const [few, many] = WATERMARKS.map(({ servers }) => servers) as [number, number]
  const { churn, partition, liars } = sizes

  return {
    notes: [
      `Networks of ${churn.peers} nodes whose nodes keep connections to ${few} servers at most, and others with the default, ${many}, where each node is connected to all others. One of each kind runs after the other, and all that counts is what failed or was wrong.`,
      `Churn: as in [churn](#churn), with ${churn.peers} processes, of which ${churn.kills} are killed and replaced every ${churn.everyMs / 1000} s for ${churn.forMs / 1000} s. A read is right if it finds the last acknowledged value, or without \`latest\` an older one that lives; a failed write is an error of a running peer, or one that resolved with false.`,
      `Partition: as in [partition](#partition), with two halves of ${partition.nodes} nodes that are cut apart for ${partition.cutMs / 1000} s.`,
      `Liars: as in [liars](#liars), with ${figure(100 * liars.share)} % of ${liars.nodes} nodes.`
    ],
    tables: [
      tableOf('Churn', churned, {
        ...{ 'servers at most': 'servers', 'peers killed': 'killed' },
        ...{ writes: 'writes', 'failed writes': 'failedWrites', reads: 'asked', right: 'right' },
        ...{ 'of nothing': 'missing', 'watched keys': 'watched', 'final states missed': 'missed' }
      }),
      ...(joined.length === 0 ? [] : [partitionTable(joined)]),
      tableOf('Reads with `latest` among liars', lied, {
        ...{ 'servers at most': 'servers', liars: 'lie' },
        ...same('right', 'older', 'missing', 'forged', 'reads')
      })
    ],
    goals: [
      noWorse('churn: failed writes, wrong reads and missed final states', churned, (each) => {
        const { asked, failedWrites, missed, right } = each
        return failedWrites + asked - right + missed
      }),
      joined.length === 0
        ? goal('a partition', NO_SEPARATE_HOST, () => false)
        : noWorse('a partition: writes that failed or are not found', joined, (each) => {
            const { acknowledged, missingApart, missingAtEnd, writtenApart } = each
            return writtenApart - acknowledged + missingApart + missingAtEnd
          }),
      noWorse('liars: wrong reads', lied, ({ reads, right }) => reads - right)
    ].map((each) => ({ ...each, text: `${each.text}: no more than with the default` }))
  }
}

function partitionTable(joined: readonly Of<PartitionFigures>[]): Table {
  return tableOf('A partition', joined, {
    ...{ 'servers at most': 'servers', 'written apart': 'writtenApart' },
    ...same('acknowledged'),
    'not found in its own half': 'missingApart',
    'written in all': 'written',
    'not found in the end': 'missingAtEnd',
    'everything found everywhere after (s)': ({ missingAtEnd, joinedMs }) =>
      missingAtEnd === 0 ? joinedMs / 1000 : null
  })
}

/** Builds a goal that a count is no greater with few connections than with the default. */
function noWorse<R extends Pick<Watermark, 'servers'>>(
  text: string,
  rows: readonly R[],
  count: (row: R) => number
): Goal {
  const sums = WATERMARKS.map(({ servers }) =>
    rows.filter((row) => row.servers === servers).reduce((sum, row) => sum + count(row), 0)
  )
  const [few = Number.NaN, many = Number.NaN] = sums
  return goal(
    text,
    few,
    (value) => value <= many,
    (value) => `${figure(value)}, and ${figure(many)} with the default`
  )
}
