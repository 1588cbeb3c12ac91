import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CHARTS_FOLDER, DOCUMENT, report } from '../../src/report/report.ts'
import { terminal } from '../../src/report/terminal.ts'
import { readResults } from '../../src/results-file.ts'
import { longScenarios, scenarios } from '../../src/scenarios.ts'
import { RECORDED } from '../support/results.ts'

const docs = fileURLToPath(new URL('../../../../docs/', import.meta.url))

describe('report', () => {
  it('is in docs as the results there give it', () => {
    const results = readResults(`${docs}benchmarks.json`)
    const files = report(
      results,
      [...scenarios, ...longScenarios].map(({ name }) => name)
    )
    const charts = readdirSync(`${docs}${CHARTS_FOLDER}`).map((name) => `${CHARTS_FOLDER}/${name}`)

    expect([...files.keys()].toSorted()).toEqual([...charts, DOCUMENT].toSorted())

    for (const [path, content] of files) {
      expect(readFileSync(`${docs}${path}`, 'utf8'), path).toBe(content)
    }
  })

  it('has the chapters in order, and those of scenarios that are gone at the end', () => {
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
    expect(text).toContain('load 0.25 before it began; node 24.0.0, libp2p 3.0.0')
    expect(text).toContain('![Bars](benchmarks/one-bars.svg)')
    expect(text).toContain('In a certain way.\n\nWith care.')
    expect(text).not.toContain('quick')
  })

  it('says of a quick run what it is', () => {
    const text = report({ one: { ...RECORDED, effort: 'quick' } }, []).get(DOCUMENT)

    expect(text).toContain('its figures mean nothing')
  })

  it('draws the same chart for the same figures, whatever was drawn before', () => {
    const first = report({ one: RECORDED }, [])
    const second = report({ before: RECORDED, one: RECORDED }, [])

    expect(second.get('benchmarks/one-bars.svg')).toBe(first.get('benchmarks/one-bars.svg'))
    expect(second.get('benchmarks/one-lines.svg')).toBe(first.get('benchmarks/one-lines.svg'))
  })

  it('draws every figure that there is, and its legend', () => {
    const files = report({ one: RECORDED }, [])
    const bars = files.get('benchmarks/one-bars.svg') ?? ''
    const lines = files.get('benchmarks/one-lines.svg') ?? ''

    expect(
      bars.match(/series_index="0" ecmeta_data_index="\d" ecmeta_ssr_type="chart"/g)
    ).toHaveLength(1)
    expect(
      bars.match(/series_index="1" ecmeta_data_index="\d" ecmeta_ssr_type="chart"/g)
    ).toHaveLength(2)

    for (const text of ['Bars', 'store', 'get', 'Waggle', 'other', '0.2', '100', 'ms']) {
      expect(bars).toContain(`>${text}</text>`)
    }

    for (const text of ['Lines', 'nodes', 'messages', '3']) {
      expect(lines).toContain(`>${text}</text>`)
    }
  })
})

describe('terminal', () => {
  it('aligns the figures, and says which goals are met', () => {
    expect(terminal(RECORDED.result)).toBe(
      [
        'A table',
        '',
        'system  p50 (ms)   a | b',
        '──────  ────────  ──────',
        'Waggle      0.12  10,000',
        'other          –       2',
        '',
        'met     fast: 1 ms',
        'missed  small: 9 MB',
        '?       known: not measured'
      ].join('\n')
    )
  })
})
