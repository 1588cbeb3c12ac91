import { describe, expect, it } from 'vitest'
import { churn } from '../../src/scenarios/churn/churn.ts'
import { column, quickRun } from '../support/quick-run.ts'

describe('churn', () => {
  it('kills peers while records are read and written, and finds them all the same', async () => {
    const { tables, goals } = await quickRun(churn)
    const [operations] = tables

    expect(column(operations, 'missing')).toEqual([null, 0, 0, 0])
    expect(column(operations, 'false')).toEqual([null, 0, 0, 0])
    expect(column(operations, 'right').at(-1)).toBe(20)
    expect(goals).toHaveLength(3)
  })
})
