import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { report } from '../../src/report/report.ts'
import { terminal } from '../../src/report/text.ts'
import { readResults } from '../../src/result/results-file.ts'
import { scenarios } from '../../src/scenarios.ts'
import { RECORDED } from '../support/results.ts'

const docs = new URL('../../../../docs/', import.meta.url).pathname

describe('report', () => {
  it('gives the document in docs from the results there', () => {
    const order = scenarios.map(({ name }) => name)

    expect(readFileSync(`${docs}benchmarks.md`, 'utf8')).toBe(
      report(readResults(`${docs}benchmarks.json`), order)
    )
  })

  it('has the chapters in order, and those of removed scenarios in the end', () => {
    const results = { gone: RECORDED, second: RECORDED, first: RECORDED }
    const text = report(results, ['first', 'second', 'third'])

    expect([...text.matchAll(/^## (.+)$/gm)].map(([, name]) => name)).toEqual([
      'first',
      'second',
      'gone'
    ])
  })

  it('states goals, figures, circumstances and notes', () => {
    const text = report({ one: RECORDED }, [])

    expect(text).toContain('| fast | 1 ms | yes |\n| small | 9 MB | **no** |')
    expect(text).toContain('| known | not measured | not measured |')
    expect(text).toContain('| system | p50 (ms) | a \\| b |\n| --- | --: | --: |')
    expect(text).toContain('| Waggle | 0.12 | 10,000 |\n| other | – | 2 |')
    expect(text).toContain('Measured on 2026-01-02 at commit `0123456789ab`: A processor, 2 cores')
    expect(text).toContain('load 0.25 before the run; node 24.0.0, libp2p 3.0.0')
    expect(text).toContain('In a certain way.\n\nWith care.')
    expect(text).not.toContain('quick')
  })

  it('marks a quick run', () => {
    const text = report({ one: { ...RECORDED, effort: 'quick' } }, [])

    expect(text).toContain('whose figures mean nothing')
  })
})

describe('terminal', () => {
  it('aligns the figures, and says which goals are met', () => {
    expect(terminal(RECORDED.result)).toBe(
      [
        'A table',
        '',
        '| system | p50 (ms) | a \\| b |',
        '| ------ | -------: | -----: |',
        '| Waggle |     0.12 | 10,000 |',
        '| other  |        – |      2 |',
        '',
        'Goals',
        '',
        '| goal  | measured     | met          |',
        '| ----- | ------------ | ------------ |',
        '| fast  | 1 ms         | yes          |',
        '| small | 9 MB         | **no**       |',
        '| known | not measured | not measured |'
      ].join('\n')
    )
  })
})
