import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mergeResults, readResults } from '../../src/result/results-file.ts'
import { RECORDED } from '../support/results.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waggle-bench-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe('mergeResults', () => {
  it('replaces a scenario that ran again, and leaves the others', () => {
    const path = join(folder, 'deep', 'results.json')
    mergeResults(path, { one: RECORDED })
    mergeResults(path, { two: RECORDED })
    mergeResults(path, { one: { ...RECORDED, date: '2026-03-04' } })
    const { one, two } = readResults(path)

    expect(one?.date).toBe('2026-03-04')
    expect(two?.date).toBe(RECORDED.date)
  })

  it('keeps the digits that mean something', () => {
    const path = join(folder, 'results.json')
    mergeResults(path, { one: RECORDED })
    const { one } = readResults(path)

    expect(one?.result.tables[0]?.rows[0]).toEqual(['Waggle', 0.12346, 10_000])
  })
})

describe('readResults', () => {
  it('gives nothing where nothing was measured', () => {
    expect(readResults(join(folder, 'none.json'))).toEqual({})
  })
})
