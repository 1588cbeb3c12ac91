import { describe, expect, it } from 'vitest'
import { costs } from '../../src/scenarios/costs/costs.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('costs', () => {
  it('measures the exchange protocol, and a node with each durability', {
    timeout: QUICK_MS
  }, async () => {
    const { tables } = await quickRun(costs)
    const [exchange, keepers] = tables

    expect(column(exchange, 'get again (µs)')).toHaveLength(3)
    expect(column(keepers, 'durability')).toEqual(['memory', 'relaxed', 'written', 'synced'])
    expect(column(keepers, 'processor time of the next start (s)')).toEqual([
      null,
      ...['relaxed', 'written', 'synced'].map(() => expect.any(Number))
    ])
  })
})
