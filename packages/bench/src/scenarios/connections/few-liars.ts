import { Child, nodeCommand } from '../../processes/child.ts'
import { same, tableOf } from '../../result/build.ts'
import type { RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { LIES } from '../liars/lies.ts'
import type { LiarsHandlers } from '../liars/network-main.ts'
import { COMPARED, noWorse } from './no-worse.ts'
import { WATERMARKS } from './watermarks.ts'

/** Takes some minutes. */
export const fewLiars: Scenario = {
  name: 'few-liars',
  title: 'The scenario liars with few connections, next to the default.',
  isLong: true,
  run
}

/** Nodes, the share of them that lies, and records that are stored twice and read. */
const SIZES = {
  full: { nodes: 64, share: 0.3, reads: 250 },
  quick: { nodes: 8, share: 0.3, reads: 20 }
}

const TIMEOUT_MS = 3_600_000

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const { nodes, share, reads } = SIZES[effort]
  const command = nodeCommand(new URL('../liars/network-main.ts', import.meta.url))
  const kinds = WATERMARKS.flatMap((watermark) => LIES.map((lie) => ({ ...watermark, lie })))
  const rows = await Array.fromAsync(kinds, async ({ connections, servers, lie }) => {
    await using network = new Child<LiarsHandlers>(command, { signal, timeoutMs: TIMEOUT_MS })
    await network.call('start', { count: nodes, connections })
    const count = Math.round(share * nodes)
    const figures = await network.call('measure', { lie, count, reads })
    log(`at most ${servers}, ${lie}: ${figures.right} of ${reads} are right`)
    return { servers, lie, ...figures }
  })

  return {
    notes: [
      `${COMPARED} As in [liars](#liars), with ${Math.round(share * nodes)} liars among ${nodes} nodes, and a new network for each kind of liars.`
    ],
    tables: [
      tableOf('Reads with `latest` among liars', rows, {
        ...{ 'servers at most': 'servers', liars: 'lie' },
        ...same('right', 'older', 'missing', 'forged', 'reads')
      })
    ],
    goals: [noWorse('wrong reads', rows, ({ reads: asked, right }) => asked - right)]
  }
}
