import { describe, expect, it } from 'vitest'
import { costs } from '../../src/scenarios/costs/costs.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('costs', () => {
  it('measures checks, the exchange, and a node with each durability', {
    timeout: QUICK_MS
  }, async () => {
    const { tables } = await quickRun(costs)
    const [checks, exchange, keepers] = tables

    expect(column(checks, 'processor time')).toHaveLength(8)
    expect(column(exchange, 'get again')).toHaveLength(3)
    expect(column(keepers, 'durability')).toEqual(['memory', 'relaxed', 'written', 'synced'])
    expect(column(keepers, 'starting again: processor time')).toEqual([
      null,
      ...['relaxed', 'written', 'synced'].map(() => expect.any(Number))
    ])
  })
})
