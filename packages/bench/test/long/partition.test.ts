import { beforeEach, describe, expect, it } from 'vitest'
import { partition } from '../../src/scenarios/partition.ts'
import { column, quickRun } from '../support/quick-run.ts'

/** Network namespaces need Linux and root. */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

describe('partition', () => {
  beforeEach(({ skip }) => skip(!isRoot, 'as only root, on Linux, can make network namespaces'))

  it('finds everything that both halves wrote once they are joined again', async () => {
    const { tables, goals } = await quickRun(partition)
    const [halves] = tables

    expect(column(halves, 'written in all')).toEqual([30])
    expect(column(halves, 'not found in the end')).toEqual([0])
    expect(goals).toHaveLength(2)
  })
})
