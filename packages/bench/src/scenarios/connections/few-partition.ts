import { NO_SEPARATE_HOST, SeparateHost } from '../../processes/separate-host.ts'
import { none } from '../../result/build.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { cutAndJoin, partitionTable } from '../partition.ts'
import { COMPARED, noWorse } from './no-worse.ts'
import { WATERMARKS } from './watermarks.ts'

/** Takes some minutes, and root. */
export const fewPartition: Scenario = {
  name: 'few-partition',
  title: 'The scenario partition with few connections, next to the default.',
  isLong: true,
  run
}

/** The sizes of `partition`, with twice as many nodes. */
const SIZES = {
  full: { nodes: 32, cutMs: 30_000, records: 50 },
  quick: { nodes: 2, cutMs: 1500, records: 5 }
}

async function run({ effort, ...options }: RunOptions): Promise<ScenarioResult> {
  const { nodes, cutMs, records } = SIZES[effort]
  const all = await Array.fromAsync(WATERMARKS, async ({ connections, servers }) => {
    using host = await SeparateHost.start(options)
    const sizes = { nodes, cutMs, records }
    return host && { servers, ...(await cutAndJoin(sizes, host, { ...options, connections })) }
  })
  const rows = all.filter((row) => row !== undefined)

  return {
    notes: [
      `${COMPARED} As in [partition](#partition), with two halves of ${nodes} nodes that are cut apart for ${cutMs / 1000} s.`
    ],
    tables: rows.length === 0 ? [] : [partitionTable(rows, { 'servers at most': 'servers' })],
    goals:
      rows.length === 0
        ? [none('writes that failed or are not found', NO_SEPARATE_HOST)]
        : [
            noWorse('failed writes', rows, (row) => row.writtenApart - row.acknowledged),
            noWorse('entries not found', rows, (row) => row.missingApart + row.missingAtEnd)
          ]
  }
}
