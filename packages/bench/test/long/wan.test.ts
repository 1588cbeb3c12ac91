import { describe, expect, it } from 'vitest'
import { wan } from '../../src/scenarios/wan/wan.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('wan', { timeout: QUICK_MS }, () => {
  it('answers all operations right', async () => {
    const { tables } = await quickRun(wan)
    const [warm, cold, atOnce] = tables

    expect(column(warm, 'operation')).toEqual([
      'get',
      'get latest',
      'get, nothing there',
      'store',
      'getMany(20)',
      'storeMany(20)'
    ])
    expect(column(warm, 'right')).toEqual([
      '3 of 3',
      '1 of 1',
      '1 of 1',
      '3 of 3',
      '1 of 1',
      '1 of 1'
    ])
    expect(column(cold, 'operation')).toEqual(['create', 'get'])
    expect(column(atOnce, 'found')).toEqual(column(atOnce, 'of'))

    // No answer is faster than the round trip.
    for (const ms of column(warm, 'p50 (ms)')) {
      expect(ms).toBeGreaterThanOrEqual(50)
    }
  })
})
