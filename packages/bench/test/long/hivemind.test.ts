import { describe, expect, it } from 'vitest'
import { hivemind } from '../../src/scenarios/hivemind/hivemind.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

/** Returns the child processes that still run. */
function childProcesses(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap')
}

describe('hivemind', { timeout: QUICK_MS }, () => {
  it('counts every store and get of every round, with a peer killed on the way', async () => {
    const { tables, goals } = await quickRun(hivemind)
    const [wallTimes, survival] = tables
    const ours = column(wallTimes, 'system').slice(0, 4)

    expect(ours).toEqual(['Waggle', 'Waggle', '@waggle/hivemind', '@waggle/hivemind'])
    // 2 threads of 2 rounds with 3 writers and 3 readers each.
    expect(column(wallTimes, 'tried').slice(0, 4)).toEqual([12, 12, 12, 12])
    expect(column(wallTimes, 'right').slice(0, 4)).toEqual([12, 12, 12, 12])
    expect(column(survival, 'killed').slice(0, 2)).toEqual([1, 1])
    expect(column(survival, 'alive in the end').slice(0, 2)).toEqual([4, 4])
    expect(goals.slice(0, 6).map(({ isMet }) => isMet)).toEqual(Array(6).fill(true))
  })

  it('ends its processes and rejects when it is aborted', async () => {
    const run = hivemind.run({ effort: 'full', signal: AbortSignal.timeout(1000), log: () => {} })

    await expect(run).rejects.toThrow()
    await expect.poll(childProcesses, { timeout: 10_000 }).toEqual([])
  })
})
