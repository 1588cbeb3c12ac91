import { describe, expect, it } from 'vitest'
import { WATERMARKS } from '../../src/scenarios/connections/watermarks.ts'
import { handover } from '../../src/scenarios/handover/handover.ts'
import { column, quickRun } from '../support/quick-run.ts'

describe('handover', () => {
  it('counts the records that move, and loses none', async () => {
    const { tables, goals } = await quickRun(handover)
    const [moves] = tables

    expect(column(moves, 'servers at most')).toEqual(WATERMARKS.map(({ servers }) => servers))
    expect(column(moves, 'records owed').map(Number)).not.toContain(0)
    expect(column(moves, 'not found')).toEqual([0, 0])
    expect(goals).toHaveLength(6)
  })
})
