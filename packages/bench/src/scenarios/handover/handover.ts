import { setTimeout as passed } from 'node:timers/promises'
import { Child, nodeCommand } from '../../processes/child.ts'
import { all, atMost, goal, megabytes, none, same, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { WATERMARKS, type Watermark } from '../connections/watermarks.ts'
import type { HandoverHandlers } from './network-main.ts'

/** Takes some minutes. */
export const handover: Scenario = {
  name: 'handover',
  title: 'Records that move as many nodes join.',
  isLong: true,
  run
}

/** Nodes at first, records, newcomers and those of them that join at once, and records that are inspected in the end. */
const SIZES = {
  full: { nodes: 64, records: 10_000, joins: 136, atOnce: 8, inspected: 200, quietMs: 25_000 },
  quick: { nodes: 4, records: 20, joins: 4, atOnce: 2, inspected: 4, quietMs: 500 }
}

type Sizes = typeof SIZES.full
type Figures = Awaited<ReturnType<typeof measure>>

/** Bytes that may move for each byte owed. */
const MAX_RATIO = 2

/** Newcomers between two reports of progress. */
const REPORTED = 40
const TIMEOUT_MS = 1_200_000

/** Time limit until nothing moves any more. */
const SETTLE_MS = 300_000

async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const sizes = SIZES[effort]
  const rows: Figures[] = []

  for (const watermark of WATERMARKS) {
    rows.push(await measure(sizes, watermark, options))
  }

  return resultOf(sizes, rows)
}

async function measure(
  { nodes, records, joins, atOnce, inspected, quietMs }: Sizes,
  { connections, servers }: Watermark,
  { signal, log }: Omit<RunOptions, 'effort'>
) {
  const command = nodeCommand(new URL('network-main.ts', import.meta.url))
  await using network = new Child<HandoverHandlers>(command, { signal, timeoutMs: TIMEOUT_MS })
  await network.call('start', { count: nodes, records, connections })
  const before = await settled(network, quietMs, signal)
  let owed = 0

  for (let joined = 0; joined < joins; joined += atOnce) {
    owed += await network.call('join', atOnce)

    if ((joined + atOnce) % REPORTED === 0) {
      const moved = (await network.call('moved')) - before
      log(
        `at most ${servers}: ${joined + atOnce} have joined, ${owed} records are owed, ${moved} moved`
      )
    }
  }

  const moved = (await settled(network, quietMs, signal)) - before
  const recordBytes = await network.call('recordBytes')
  const connected = await network.call('connections')
  const missing = await network.call('missing')
  const { places, held } = await network.call('inspect', inspected)
  return {
    ...{ servers, joins, connected, owed, moved, missing, places, held },
    ...{ owedMB: megabytes(owed * recordBytes), movedMB: megabytes(moved * recordBytes) },
    ratio: moved / owed
  }
}

/** Resolves with the number of moved records when no more move. */
async function settled(
  network: Child<HandoverHandlers>,
  quietMs: number,
  signal: AbortSignal
): Promise<number> {
  const startMs = performance.now()
  let last = await network.call('moved')

  while (performance.now() - startMs < SETTLE_MS) {
    await passed(quietMs, undefined, { signal })
    const moved = await network.call('moved')

    if (moved === last) {
      return moved
    }

    last = moved
  }

  throw new Error(`records still move after ${SETTLE_MS} ms`)
}

function resultOf(sizes: Sizes, rows: readonly Figures[]): ScenarioResult {
  const { nodes, records, joins, atOnce, inspected, quietMs } = sizes

  return {
    notes: [
      `${nodes} whole nodes in one process, connected in memory, hold ${figure(records)} records of 100 bytes. ${figure(joins)} more join, ${atOnce} at a time, each group as soon as the one before has joined; each node has one random initial peer and no cache. Each row is a network of its own; its nodes keep connections to as many servers as the row says.`,
      `Owed is each record once for each newcomer that becomes one of its five nearest nodes when its group joins, whether it stays one or not. Moved is every record that a node was sent, whether it lacked it or not, until none was sent for ${quietMs / 1000} s. Bytes are those of the records themselves. In the end a random node reads all records, and another one inspects ${inspected} random ones: those that are held by the nodes that are really nearest, of all places where they should be.`
    ],
    tables: [
      tableOf('Records that move', rows, {
        'servers at most': 'servers',
        ...same('joins'),
        'mean connected servers in the end': 'connected',
        ...{ 'records owed': 'owed', 'records moved': 'moved' },
        ...{ 'owed (MB)': 'owedMB', 'moved (MB)': 'movedMB', 'moved for each byte owed': 'ratio' },
        ...{ 'not found': 'missing', 'places inspected': 'places', 'held there': 'held' }
      })
    ],
    goals: rows.flatMap(({ servers, ratio, missing, places, held }) => [
      goal(
        `connections to ${servers} servers at most: at most twice the bytes owed move`,
        ratio,
        atMost(MAX_RATIO),
        (value) => `× ${figure(value)}`
      ),
      none(`connections to ${servers} servers at most: no record is lost`, missing, records),
      all(`connections to ${servers} servers at most: all nearest nodes hold it`, held, places)
    ])
  }
}
