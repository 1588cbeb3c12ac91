import { describe, expect, it } from 'vitest'
import { attackNames } from '../adversary/attacks.ts'
import { readResults, tableInDocument, tableOf } from '../adversary/results.ts'

describe('the table of attacks in SECURITY.md', () => {
  it('has what `pnpm adversary --write` has measured', () => {
    expect(tableInDocument()).toBe(tableOf(readResults()))
  })

  it('has attacks that are tried, in their order', () => {
    const measured = Object.keys(readResults())
    expect(measured.length).toBeGreaterThanOrEqual(15)
    expect(measured).toEqual(attackNames.filter((name) => measured.includes(name)))
  })
})
