import { describe, expect, it } from 'vitest'
import { growth } from '../../src/scenarios/growth/growth.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('growth', { timeout: QUICK_MS }, () => {
  it('counts what real and simulated operations cost', async () => {
    const { tables } = await quickRun(growth)
    const [operations, joins, nodes, simulated] = tables

    // A client of 4 connected nodes asks all of them, or one for a key: another, too, if it is slow.
    expect(column(operations, 'operation')).toEqual(['get', 'get latest', 'store'])
    const [ofGet, ...ofOthers] = column(operations, 'messages')
    expect(ofGet).toBeGreaterThanOrEqual(2)
    expect(ofGet).toBeLessThan(8)
    expect(ofOthers).toEqual([8, 8])
    expect(column(operations, 'mean hops')).toEqual([1, 1, 1])
    expect(column(operations, 'right')).toEqual(['20 of 20', '20 of 20', '20 of 20'])
    expect(column(joins, 'dials')[0]).toBeGreaterThanOrEqual(1)
    expect(column(nodes, 'connections')).toEqual([3])

    expect(new Set(column(simulated, 'right, all alive'))).toEqual(new Set(['60 of 60', null]))
    expect(new Set(column(simulated, 'right, some dead'))).toEqual(new Set(['60 of 60', null]))
  })
})
