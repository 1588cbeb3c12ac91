import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url)
const NUMBER = /\d{1,3}(?:,\d{3})*(?:\.\d+)?/g

function section(file: string, title: string): string {
  const text = readFileSync(new URL(file, ROOT), 'utf8')
  const begin = text.indexOf(`\n## ${title}\n`)
  const end = text.indexOf('\n## ', begin + 1)
  return text.slice(begin, end)
}

/** The cells of each row of a section's tables, the first of which is the system. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, ...cells]) => cells)
}

describe('the figures in the README', () => {
  const readme = section('README.md', 'How fast')
  const measured = rows(section('docs/benchmarks.md', 'peers'))

  it.each(['Waggle', 'OpenDHT', 'HyperDHT mutable', 'kad-dht'])(
    'are those of the report: %s',
    (system) => {
      const row = rows(readme).find(([name]) => name === system) ?? []
      const claimed = row.slice(1).join(' ').match(NUMBER) ?? []
      const cells = measured.filter(([name]) => name === system).flat()
      expect(claimed.length).toBeGreaterThan(3)
      expect(cells).toEqual(expect.arrayContaining(claimed))
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
