import { describe, expect, it } from 'vitest'
import { subkeys } from '../../src/scenarios/subkeys.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('the scenario subkeys', { timeout: QUICK_MS }, () => {
  it('reads a value, one subkey and the whole, and says what each costs', async () => {
    const { tables, goals } = await quickRun(subkeys)
    const [value, subkey, whole] = column(tables[0], 'bytes sent').map(Number)

    expect(subkey).toBeLessThan(1.5 * Number(value))
    expect(whole).toBeGreaterThan(20 * Number(subkey))
    expect(goals.find(({ text }) => text.includes('stored'))?.isMet).toBe(true)
  })
})
