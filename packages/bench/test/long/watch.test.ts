import { describe, expect, it } from 'vitest'
import { watch } from '../../src/scenarios/watch.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('the scenario watch', { timeout: QUICK_MS }, () => {
  it('measures bare streams, Waggle, and OpenDHT where it is installed', async () => {
    const { tables, goals } = await quickRun(watch)
    const [table] = tables

    const failed = column(table, 'failed')
    const own = column(table, 'by').indexOf('Waggle')

    // The rows before it are bare streams, to one peer and to five.
    expect(own).toBe(2)
    expect(failed.slice(0, own + 1)).toEqual([0, 0, 0])
    expect(goals.find(({ text }) => text.includes('fails'))?.isMet).toBe(true)
  })
})
