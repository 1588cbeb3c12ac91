import { describe, expect, it } from 'vitest'
import { costs } from '../../src/scenarios/costs/costs.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('costs', () => {
  it('measures the exchange protocol, and a node with each durability', {
    timeout: QUICK_MS
  }, async () => {
    const { tables } = await quickRun(costs)
    const [exchange, durableNodes] = tables

    expect(column(exchange, 'get again (µs)')).toHaveLength(3)
    expect(column(durableNodes, 'durability')).toEqual(['memory', 'relaxed', 'written', 'synced'])
    expect(column(durableNodes, 'processor time of the next start (s)')).toEqual([
      null,
      ...['relaxed', 'written', 'synced'].map(() => expect.any(Number))
    ])
  })
})
