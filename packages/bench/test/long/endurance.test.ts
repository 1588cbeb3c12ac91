import { describe, expect, it } from 'vitest'
import { endurance } from '../../src/scenarios/endurance.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('endurance', { timeout: QUICK_MS }, () => {
  it('keeps all streams, and every get is right', async () => {
    const { tables, goals } = await quickRun(endurance)
    const [trials] = tables

    expect(column(trials, 'streams')).toEqual([3, 3, 3, 3])
    expect(column(trials, 'kept')).toEqual([3, 3, 3, 3])
    expect(column(trials, 'right')).toEqual(column(trials, 'gets'))
    expect(goals).toHaveLength(11)
  })
})
