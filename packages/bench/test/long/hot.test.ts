import { describe, expect, it } from 'vitest'
import { hot } from '../../src/scenarios/hot/hot.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('the scenario hot', { timeout: QUICK_MS }, () => {
  it('delivers every change to all, with forwarders and without', async () => {
    const { tables, goals } = await quickRun(hot)
    const [table] = tables

    expect(column(table, 'missed')).toEqual([0, 0, 0, 0])
    expect(column(table, 'forwarders').map((count) => Number(count) > 0)).toEqual([
      ...[false, false, true, false]
    ])
    expect(goals.find(({ text }) => text.includes('final state'))?.isMet).toBe(true)
  })
})
