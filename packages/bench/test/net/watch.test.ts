import { describe, expect, it } from 'vitest'
import { watch } from '../../src/scenarios/watch/watch.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('the scenario watch', { timeout: QUICK_MS }, () => {
  it('measures bare streams, Waggle, and OpenDHT where it is installed', async () => {
    const { tables, goals } = await quickRun(watch)
    const [table] = tables

    expect(column(table, 'by')).toContain('Waggle')
    expect(column(table, 'failed').slice(0, 3)).toEqual([0, 0, 0])
    expect(goals.find(({ text }) => text.includes('fails'))?.isMet).toBe(true)
  })
})
