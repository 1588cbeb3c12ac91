import { describe, expect, it } from 'vitest'
import { liars } from '../../src/scenarios/liars/liars.ts'
import { column, quickRun } from '../support/quick-run.ts'

describe('liars', () => {
  it('counts the reads of honest peers among liars of each kind, and in an eclipse', async () => {
    const { tables } = await quickRun(liars)
    const [reads, eclipses] = tables

    expect(column(reads, 'liars')).toHaveLength(8)
    expect(column(reads, 'right (%)').filter((_, i) => i % 2 === 0)).toEqual([100, 100, 100, 100])
    expect(column(eclipses, 'attackers').at(0)).toBe('10 % of all nodes')
    expect(column(eclipses, 'attackers').at(5)).toBe('1 nearest to the key')
    expect(column(eclipses, 'read (%)').at(5)).toBe(100)
    expect(column(eclipses, 'read (%)').at(-1)).toBe(0)
  })
})
