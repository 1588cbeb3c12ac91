import { describe, expect, it } from 'vitest'
import { fewChurn } from '../../src/scenarios/connections/few-churn.ts'
import { fewLiars } from '../../src/scenarios/connections/few-liars.ts'
import { fewPartition } from '../../src/scenarios/connections/few-partition.ts'
import { WATERMARKS } from '../../src/scenarios/connections/watermarks.ts'
import { LIES } from '../../src/scenarios/liars/lies.ts'
import { column, quickRun } from '../support/quick-run.ts'

const SERVERS = WATERMARKS.map(({ servers }) => servers)

/** Network namespaces need Linux and root. */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

describe('networks with few connections', () => {
  it('lose no record and no final state as peers are killed', async () => {
    const [churned] = (await quickRun(fewChurn)).tables

    expect(column(churned, 'servers at most')).toEqual(SERVERS)
    expect(column(churned, 'of nothing')).toEqual([0, 0])
    expect(column(churned, 'final states missed')).toEqual([0, 0])
  })

  it.runIf(isRoot)('find everything once two halves are joined again', async () => {
    const [joined] = (await quickRun(fewPartition)).tables

    expect(column(joined, 'servers at most')).toEqual(SERVERS)
    expect(column(joined, 'not found in the end')).toEqual([0, 0])
  })

  it('read right among liars', async () => {
    const [lied] = (await quickRun(fewLiars)).tables

    expect(column(lied, 'forged')).toEqual(new Array(SERVERS.length * LIES.length).fill(0))
  })
})
