import { describe, expect, it } from 'vitest'
import { churn } from '../../src/scenarios/churn/churn.ts'
import { column, quickRun } from '../support/quick-run.ts'

describe('churn', () => {
  it('loses and misses no record while peers are killed', async () => {
    const { tables, goals } = await quickRun(churn)
    const [operations, watched] = tables

    expect(column(operations, 'operation').at(0)).toBe('store')
    expect(column(operations, 'missing').slice(-3)).toEqual([0, 0, 0])
    expect(column(operations, 'false').slice(-3)).toEqual([0, 0, 0])
    expect(column(operations, 'right').at(-1)).toBe(20)
    expect(column(watched, 'keys')).toEqual([10, 4, 14, 7])
    expect(column(watched, 'final states missed')).toEqual([0, 0, 0, 0])
    expect(column(watched, 'stores delivered').map(Number)).not.toContain(0)
    expect(goals).toHaveLength(4)
  })
})
