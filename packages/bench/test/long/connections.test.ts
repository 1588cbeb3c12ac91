import { describe, expect, it } from 'vitest'
import { fewChurn } from '../../src/scenarios/connections/churn.ts'
import { fewLiars } from '../../src/scenarios/connections/liars.ts'
import { fewPartition } from '../../src/scenarios/connections/partition.ts'
import { column, quickRun } from '../support/quick-run.ts'

/** Network namespaces need Linux and root. */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

describe('networks with few connections', () => {
  it('lose no record and no final state as peers are killed', async () => {
    const [churned] = (await quickRun(fewChurn)).tables

    expect(column(churned, 'servers at most')).toEqual([16, 96])
    expect(column(churned, 'of nothing')).toEqual([0, 0])
    expect(column(churned, 'final states missed')).toEqual([0, 0])
  })

  it.runIf(isRoot)('find everything once two halves are joined again', async () => {
    const [joined] = (await quickRun(fewPartition)).tables

    expect(column(joined, 'servers at most')).toEqual([16, 96])
    expect(column(joined, 'not found in the end')).toEqual([0, 0])
  })

  it('read right among liars', async () => {
    const [lied] = (await quickRun(fewLiars)).tables

    expect(column(lied, 'reads')).toEqual(new Array(8).fill(20))
    expect(column(lied, 'forged')).toEqual(new Array(8).fill(0))
  })
})
