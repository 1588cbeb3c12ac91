import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url)
const NUMBER = /\d{1,3}(?:,\d{3})*(?:\.\d+)?/g

/** Returns the text from a heading to the next one of its level or above. */
function section(file: string, heading: string): string {
  const text = readFileSync(new URL(file, ROOT), 'utf8')
  const begin = text.indexOf(`\n${heading}\n`) + 1
  expect(begin, `${file} has the heading ${heading}`).toBeGreaterThan(0)
  const level = heading.indexOf(' ')
  const end = text.slice(begin + level).search(new RegExp(`\n#{1,${level}} `))
  return end < 0 ? text.slice(begin) : text.slice(begin, begin + level + end)
}

/** Lists the cells of each row of a section's tables. The first cell names the row. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, ...cells]) => cells)
}

function reported(scenario: string): string[][] {
  return rows(section('docs/benchmarks.md', `## ${scenario}`))
}

interface ReportTable {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Returns the tables of a scenario's section of the report. */
function reportTables(scenario: string): ReportTable[] {
  const [, ...parts] = section('docs/benchmarks.md', `## ${scenario}`).split(/^\*\*(?=.*\*\*$)/m)

  return parts.map((part) => {
    const [columns = [], , ...cells] = rows(part)
    return { title: part.slice(0, part.indexOf('**')), columns, rows: cells }
  })
}

/** Reads the figures in one place of the report. */
function reportedIn(
  scenario: string,
  { table, row, column }: Readonly<Record<'table' | 'row' | 'column', string>>
): string | undefined {
  const found = reportTables(scenario).find(({ title }) => title.includes(table))
  const index = found?.columns.indexOf(column) ?? -1
  expect(index, `${scenario}: ${table}: ${column}`).toBeGreaterThan(0)
  return found?.rows.findLast(([name]) => name === row)?.[index]
}

/** Reads the numbers of a row, without those in its first cell. */
function numbersIn([, ...cells]: readonly string[]): readonly string[] {
  return cells.join(' ').match(NUMBER) ?? []
}

/** Finds the row whose first cell begins with a name. */
function rowOf(table: readonly string[][], name: string): string[] {
  const row = table.find(([first]) => first?.startsWith(name)) ?? []
  expect(row, name).not.toEqual([])
  return row
}

describe('the figures in the README', () => {
  const readme = section('README.md', '## How fast')
  const measured = reported('peers')

  it.each(['Waggle', 'OpenDHT', 'HyperDHT mutable', 'kad-dht'])(
    'are those of the report: %s',
    (system) => {
      const of = (table: string, column: string) =>
        reportedIn('peers', { table, row: system, column })
      const inMs = (column: string) => {
        const figure = of('operations of each kind, one by one', column)
        return figure === '–' ? figure : `${figure} ms`
      }
      const atOnce = ['stores (1/s)', 'gets (1/s)'].map((column) => of('50 in flight', column))

      expect(rowOf(rows(readme), system).slice(1, -1)).toEqual([
        ...['store p50 (ms)', 'get p50 (ms)', 'get latest p50 (ms)'].map(inMs),
        atOnce.join(', ')
      ])
    }
  )

  it('are those of the report: many keys', () => {
    const [, ...claimed] =
      readme
        .split('\n')
        .find((line) => line.startsWith('`storeMany`'))
        ?.match(NUMBER) ?? []
    const rates = ['storeMany', 'getMany'].map(
      (operation) =>
        measured.find(([name, by, keys]) => {
          return name === 'Waggle' && by === operation && keys === '10,000'
        })?.[3]
    )
    expect(claimed).toEqual(rates)
  })
})

describe('the figures in SECURITY.md', () => {
  const text = section('SECURITY.md', '## Liars, Sybils, eclipses')
  const claims = rows(text)
  const measured = reported('liars')

  /** Reads the report's figures for each of the columns, which are shares or counts. */
  function claimed(
    header: string,
    row: readonly string[],
    measuredOf: (column: string) => string | undefined
  ) {
    const columns = rowOf(claims, header).slice(1, -1)
    expect(columns.length).toBeGreaterThan(4)
    expect(row.slice(1, -1)).toEqual(columns.map((column) => `${measuredOf(column)} %`))
  }

  it.each(['silent', 'forgetful', 'stale', 'forging'])(
    'are those of the report: %s liars',
    (lie) => {
      claimed('liars, ', rowOf(claims, `${lie}: `), (column) => {
        return measured.find(([name, share]) => name === lie && `${share} %` === column)?.[2]
      })
    }
  )

  it.each([
    ["the attacker's nodes, of all, anywhere", 'of all nodes'],
    ["the attacker's nodes are the nearest to the key", 'nearest to the key']
  ])('are those of the report: %s', (header, which) => {
    const read = claims[claims.indexOf(rowOf(claims, header)) + 2] ?? []

    claimed(header, read, (column) => {
      return measured.find(([name]) => name === `${column} ${which}`)?.[1]
    })
  })

  it('are those of the report: of how many nodes and records', () => {
    const report = section('docs/benchmarks.md', '## liars')
    const [, records, nodes] = /^.* Of (\d+) records .* network of (\d+) real/m.exec(text) ?? []

    expect(report).toContain(`Real: ${nodes} whole nodes`)
    expect(report).toContain(`${records} records for each row`)
    expect(report).toContain(`${/of (\d+) records could be read/.exec(text)?.[1]} keys.`)
  })
})

describe('the figures in docs/records.md', () => {
  const claims = rows(section('docs/records.md', '### Cost of checking'))

  it('are those of the report: what checking costs', () => {
    const claimed = claims.map(numbersIn).filter(({ length }) => length > 0)
    const [measured] = reportTables('costs').filter(({ title }) => title.includes('three nodes'))
    expect(claimed.length).toBeGreaterThan(2)
    expect(claimed).toEqual(measured?.rows.map(numbersIn))
  })
})

describe('the figures in docs/running.md', () => {
  const durabilities = rows(section('docs/running.md', '## When a write is acknowledged'))
  const sizes = rows(section('docs/running.md', '## Sizing'))

  it.each(['memory', 'relaxed', 'written', 'synced'])('are those of the report: %s', (name) => {
    const claimed = durabilities.filter(([first]) => first?.replaceAll(/[`']/g, '') === name).at(-1)
    const measured = rowOf(reported('costs'), name)
    expect(claimed?.slice(1, -1)).toEqual(measured.slice(2, 4))
  })

  const KEEPER = 'One node that keeps what it stores'
  const CPU = 'CPU time for one operation'

  it.each([
    [
      'memory of a process with one node',
      'costs',
      [{ table: KEEPER, row: 'memory', column: 'resident at first (MB)' }]
    ],
    [
      'memory of each further node',
      'memory',
      [
        {
          table: 'One process with several nodes',
          row: '20',
          column: 'resident for each further node (MB)'
        }
      ]
    ],
    [
      'memory of a node with 100,000 records',
      'costs',
      ['memory', 'written'].map((row) => ({
        table: KEEPER,
        row,
        column: 'resident with all records (MB)'
      }))
    ],
    [
      'processor time for a write at its 5 replicas',
      'peers',
      [{ table: CPU, row: 'Waggle', column: 'store: servers (ms)' }]
    ],
    [
      'processor time for a write at its writer',
      'costs',
      [{ table: 'three nodes', row: 'unowned keys', column: 'store (µs)' }]
    ],
    [
      'processor time for a get',
      'peers',
      [{ table: CPU, row: 'Waggle', column: 'get: servers (ms)' }]
    ],
    [
      'processor time for starting',
      'costs',
      [{ table: KEEPER, row: 'written', column: 'processor time of the next start (s)' }]
    ]
  ])('are those of the report: %s', (name, scenario, places) => {
    expect(numbersIn(rowOf(sizes, name))).toEqual(
      places.map((place) => reportedIn(scenario, place))
    )
  })
})
