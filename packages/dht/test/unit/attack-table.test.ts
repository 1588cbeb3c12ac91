import { describe, expect, it } from 'vitest'
import { attackNames } from '../adversary/attacks.ts'
import { readResults, tableInDocument, tableOf } from '../adversary/results.ts'

describe('the table of attacks in SECURITY.md', () => {
  it('has what `pnpm adversary --write` has measured', () => {
    expect(tableInDocument()).toBe(tableOf(readResults()))
  })

  it('has each attack of the suite', () => {
    expect(Object.keys(readResults())).toEqual(attackNames)
  })
})
