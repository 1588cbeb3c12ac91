import { beforeEach, describe, expect, it } from 'vitest'
import { connections } from '../../src/scenarios/connections/connections.ts'
import { column, quickRun } from '../support/quick-run.ts'

/** Network namespaces need Linux and root. */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

describe('connections', () => {
  beforeEach(({ skip }) => skip(!isRoot, 'as only root, on Linux, can make network namespaces'))

  it('counts what goes wrong with few connections and with the default', async () => {
    const { tables, goals } = await quickRun(connections)
    const [churned, joined, lied] = tables

    expect(column(churned, 'servers at most')).toEqual([16, 96])
    expect(column(churned, 'of nothing')).toEqual([0, 0])
    expect(column(joined, 'not found in the end')).toEqual([0, 0])
    expect(column(lied, 'reads')).toEqual(new Array(8).fill(20))
    expect(goals).toHaveLength(3)
  })
})
