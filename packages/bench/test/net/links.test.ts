import { describe, expect, it } from 'vitest'
import { links } from '../../src/scenarios/links/links.ts'
import { column, quickRun } from '../support/quick-run.ts'

describe('a slow link', () => {
  it('carries many and large values for longer than a request may take, and small calls next to them (N12)', {
    timeout: 120_000
  }, async () => {
    const { tables, goals } = await quickRun(links)
    const [transfers] = tables

    expect(column(transfers, 'right answers')).toEqual(column(transfers, 'of'))
    expect(goals[0]).toMatchObject({ isMet: true })
  })
})
