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

    // 2 threads of 2 rounds with 3 writers and 3 readers each.
    expect(column(wallTimes, 'tried')).toEqual([12, 12])
    expect(column(wallTimes, 'right')).toEqual([12, 12])
    expect(column(survival, 'killed')).toEqual([1])
    expect(column(survival, 'alive in the end')).toEqual([4])
    expect(goals.map(({ isMet }) => isMet)).toEqual([true, true, true])
  })

  it('ends its processes and rejects when it is aborted', async () => {
    const run = hivemind.run({ effort: 'full', signal: AbortSignal.timeout(1000), log: () => {} })

    await expect(run).rejects.toThrow()
    await expect.poll(childProcesses, { timeout: 10_000 }).toEqual([])
  })
})
