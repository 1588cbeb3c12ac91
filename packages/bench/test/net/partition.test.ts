import { describe, expect, it } from 'vitest'
import { partition } from '../../src/scenarios/partition/partition.ts'
import { column, quickRun } from '../support/quick-run.ts'

/** Making network namespaces takes Linux and root. */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

describe.runIf(isRoot)('partition', () => {
  it('cuts a network apart, writes to both halves, and finds everything once they are joined', async () => {
    const { tables, goals } = await quickRun(partition)
    const [halves] = tables

    expect(column(halves, 'written in all')).toEqual([30])
    expect(column(halves, 'not found at the end')).toEqual([0])
    expect(goals).toHaveLength(2)
  })
})
