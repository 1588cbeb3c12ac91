import { describe, expect, it } from 'vitest'
import { presence } from '../../src/scenarios/presence.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('the scenario presence', { timeout: QUICK_MS }, () => {
  it('has all members see all, and says what that costs', async () => {
    const { tables, goals } = await quickRun(presence)

    expect(Number(column(tables[0], 'processor time per member (ms/s)')[0])).toBeGreaterThan(0)
    expect(Number(column(tables[0], 'sent per member (kB/s)')[0])).toBeGreaterThan(0)
    expect(goals.find(({ text }) => text.includes('at the end'))?.isMet).toBe(true)
  })
})
