import { describe, expect, it } from 'vitest'
import { frozen } from '../../src/scenarios/frozen.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('frozen', () => {
  it('has no call fail while a server is frozen', { timeout: QUICK_MS }, async () => {
    const { tables } = await quickRun(frozen)
    const [calls] = tables

    expect(column(calls, 'failed')).toEqual([0, 0, 0])
  })
})
