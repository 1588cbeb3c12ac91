import { describe, expect, it } from 'vitest'
import { revalidation } from '../../src/scenarios/revalidation.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('the scenario revalidation', { timeout: QUICK_MS }, () => {
  it('reads values anew and compares them, and says what each costs', async () => {
    const { tables, goals } = await quickRun(revalidation)
    const [, small, anew, large] = column(tables[0], 'bytes sent').map(Number)

    expect(anew).toBeGreaterThan(100_000)
    expect(Math.max(Number(small), Number(large))).toBeLessThan(100)
    expect(goals.map(({ isMet }) => isMet)).toEqual([true, true])
  })
})
