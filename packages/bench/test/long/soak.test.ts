import { describe, expect, it } from 'vitest'
import { soak } from '../../src/scenarios/soak/soak.ts'
import { column, quickRun } from '../support/quick-run.ts'

describe('soak', () => {
  it('leaves no handle behind after replacing one node after the other', async () => {
    const { tables, goals } = await quickRun(soak)
    const [states] = tables

    expect(column(states, 'nodes replaced').at(-1)).toBeGreaterThan(1)
    expect(column(states, 'operations').at(-1)).toBeGreaterThan(10)
    expect(goals.slice(1, 3).map(({ isMet }) => isMet)).toEqual([true, true])
  })
})
