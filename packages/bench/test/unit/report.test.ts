import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CHARTS_FOLDER, DOCUMENT, report } from '../../src/report/report.ts'
import { terminal } from '../../src/report/text.ts'
import type { Chart } from '../../src/result/result.ts'
import { type RecordedResult, readResults } from '../../src/result/results-file.ts'
import { scenarios } from '../../src/scenarios.ts'
import { RECORDED } from '../support/results.ts'

const docs = fileURLToPath(new URL('../../../../docs/', import.meta.url))

/** The same result, with other charts of its second table. */
function withChart(chart: Partial<Chart>): RecordedResult {
  const [first, second] = RECORDED.result.tables
  const charts = second?.charts?.map((each) => ({ ...each, ...chart }))
  const tables = first && second ? [first, { ...second, ...(charts && { charts }) }] : []
  return { ...RECORDED, result: { ...RECORDED.result, tables } }
}

describe('report', () => {
  it('gives the document in docs from the results there', () => {
    const results = readResults(`${docs}benchmarks.json`)
    const files = report(
      results,
      scenarios.map(({ name }) => name)
    )
    const charts = readdirSync(`${docs}${CHARTS_FOLDER}`).map((name) => `${CHARTS_FOLDER}/${name}`)

    expect([...files.keys()].toSorted()).toEqual([...charts, DOCUMENT].toSorted())

    for (const [path, content] of files) {
      expect(readFileSync(`${docs}${path}`, 'utf8'), path).toBe(content)
    }
  })

  it('has the chapters in order, and those of removed scenarios in the end', () => {
    const results = { gone: RECORDED, second: RECORDED, first: RECORDED }
    const text = report(results, ['first', 'second', 'third']).get(DOCUMENT) ?? ''

    expect([...text.matchAll(/^## (.+)$/gm)].map(([, name]) => name)).toEqual([
      'first',
      'second',
      'gone'
    ])
  })

  it('states goals, figures, circumstances and notes', () => {
    const text = report({ one: RECORDED }, []).get(DOCUMENT)

    expect(text).toContain('| fast | 1 ms | yes |\n| small | 9 MB | **no** |')
    expect(text).toContain('| known | not measured | not measured |')
    expect(text).toContain('| system | p50 (ms) | a \\| b |\n| --- | ---: | ---: |')
    expect(text).toContain('| Waggle | 0.12 | 10,000 |\n| other | – | 2 |')
    expect(text).toContain('Measured on 2026-01-02 at commit `0123456789ab`: A processor, 2 cores')
    expect(text).toContain('load 0.25 before the run; node 24.0.0, libp2p 3.0.0')
    expect(text).toContain('![Bars](benchmarks/one-bars.svg)')
    expect(text).toContain('In a certain way.\n\nWith care.')
    expect(text).not.toContain('quick')
  })

  it('marks a quick run', () => {
    const text = report({ one: { ...RECORDED, effort: 'quick' } }, []).get(DOCUMENT)

    expect(text).toContain('whose figures mean nothing')
  })

  it('draws the same chart for the same figures, whatever was drawn before', () => {
    const first = report({ one: RECORDED }, [])
    const second = report({ before: RECORDED, one: RECORDED }, [])

    expect(second.get('benchmarks/one-bars.svg')).toBe(first.get('benchmarks/one-bars.svg'))
    expect(second.get('benchmarks/one-lines.svg')).toBe(first.get('benchmarks/one-lines.svg'))
  })

  it('draws one bar per figure, and a legend of the columns', () => {
    const bars = report({ one: RECORDED }, []).get('benchmarks/one-bars.svg') ?? ''

    expect(
      bars.match(/series_index="0" ecmeta_data_index="\d" ecmeta_ssr_type="chart"/g)
    ).toHaveLength(1)
    expect(
      bars.match(/series_index="1" ecmeta_data_index="\d" ecmeta_ssr_type="chart"/g)
    ).toHaveLength(2)

    for (const text of ['Bars', 'p50 (ms)', 'a | b', 'Waggle', 'other', '0.12', '10,000', 'ms']) {
      expect(bars).toContain(`>${text}</text>`)
    }
  })

  it('draws only the wanted rows, and a series per kind', () => {
    const linesOf = (recorded: RecordedResult): string =>
      report({ one: recorded }, []).get('benchmarks/one-lines.svg') ?? ''
    const wanted = linesOf(RECORDED)
    const all = linesOf(withChart({ only: {} }))

    for (const text of ['Lines', 'nodes', 'messages', '2']) {
      expect(wanted).toContain(`>${text}</text>`)
    }

    expect(wanted).not.toContain('>simulated</text>')
    expect(all).toContain('>simulated</text>')
    expect(all).toContain('>real</text>')
    expect(all).toContain('>9</text>')
  })
})

describe('terminal', () => {
  it('aligns the figures, and says which goals are met', () => {
    const { tables, ...rest } = RECORDED.result

    expect(terminal({ ...rest, tables: tables.slice(0, 1) })).toBe(
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
