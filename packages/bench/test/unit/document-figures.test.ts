import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url)
const NUMBER = /\d{1,3}(?:,\d{3})*(?:\.\d+)?/g

/** From a heading to the next one that is not below it. */
function section(file: string, heading: string): string {
  const text = readFileSync(new URL(file, ROOT), 'utf8')
  const begin = text.indexOf(`\n${heading}\n`) + 1
  expect(begin, `${file} has the heading ${heading}`).toBeGreaterThan(0)
  const level = heading.indexOf(' ')
  const end = text.slice(begin + level).search(new RegExp(`\n#{1,${level}} `))
  return end < 0 ? text.slice(begin) : text.slice(begin, begin + level + end)
}

/** The cells of each row of a section's tables, the first of which is what the row is about. */
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

/** The numbers of a row, but for what is in its first cell. */
function numbersIn([, ...cells]: readonly string[]): readonly string[] {
  return cells.join(' ').match(NUMBER) ?? []
}

/** The row whose first cell begins so. */
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
      const claimed = numbersIn(rows(readme).find(([name]) => name === system) ?? [])
      const cells = measured.filter(([name]) => name === system).flat()
      expect(claimed.length).toBeGreaterThan(3)
      expect(cells).toEqual(expect.arrayContaining([...claimed]))
    }
  )

  it('are those of the report: many keys', () => {
    const claimed =
      readme
        .split('\n')
        .find((line) => line.startsWith('`storeMany`'))
        ?.match(NUMBER) ?? []
    expect(claimed.length).toBeGreaterThan(2)
    expect(measured.filter(([, by]) => by?.endsWith('Many')).flat()).toEqual(
      expect.arrayContaining(claimed)
    )
  })
})

describe('the figures in SECURITY.md', () => {
  const text = section('SECURITY.md', '## Liars, Sybils, eclipses')
  const claims = rows(text)
  const measured = reported('liars')

  /** What the report has for each of the columns, which are shares or counts. */
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
    ["the attacker's nodes, of all, anywhere"],
    ["the attacker's nodes are the nearest to the key"]
  ])('are those of the report: %s', (header) => {
    const read = claims[claims.indexOf(rowOf(claims, header)) + 2] ?? []

    claimed(header, read, (column) => measured.find(([name]) => name === column)?.[1])
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
  const claims = rows(section('docs/records.md', '### What checking costs'))

  it('are those of the report: what checking costs', () => {
    const claimed = claims.filter((row) => numbersIn(row).length > 0)
    expect(claimed.length).toBeGreaterThan(8)
    expect(reported('costs')).toEqual(expect.arrayContaining(claimed))
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

  it.each([
    ['memory of a process with one node', 'costs'],
    ['memory of each further node', 'memory'],
    ['memory of a node with 100,000 records', 'costs'],
    ['processor time for a write at its 5 replicas', 'peers'],
    ['processor time for a write at its writer', 'costs'],
    ['processor time for a get', 'peers'],
    ['processor time for starting', 'costs']
  ])('are those of the report: %s', (name, scenario) => {
    const claimed = numbersIn(rowOf(sizes, name))
    expect(claimed.length).toBeGreaterThan(0)
    expect(reported(scenario).flat()).toEqual(expect.arrayContaining([...claimed]))
  })
})
