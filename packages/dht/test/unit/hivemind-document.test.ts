import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url)
const HELD_BY = 'Held by'

interface Row {
  readonly section: string
  readonly term: string
  readonly verdict: string | undefined
  readonly heldBy: string | undefined
}

/** All rows of all tables, by the titles of their columns. */
function rows(): Row[] {
  const found: Row[] = []
  let [section, titles]: [string, string[]] = ['', []]

  for (const line of readFileSync(new URL('docs/hivemind.md', ROOT), 'utf8').split('\n')) {
    section = line.match(/^## (.*)/)?.[1] ?? section
    const cells = line.startsWith('|')
      ? line
          .slice(1, -1)
          .split(' | ')
          .map((cell) => cell.trim())
      : []

    if (cells.length === 0) {
      titles = []
    } else if (titles.length === 0) {
      titles = cells
    } else if (!/^-+$/.test(cells[0]?.replaceAll(/[| ]/g, '') ?? '')) {
      const cell = (title: string): string | undefined => cells[titles.indexOf(title)]
      found.push({
        ...{ section, term: cells[0] ?? '' },
        ...{ verdict: cell('Verdict'), heldBy: cell(HELD_BY) }
      })
    }
  }

  return found
}

/** The text of each test file by the names that the document may have for it. */
function testFiles(): Map<string, string> {
  const files = new Map<string, string>()

  for (const name of ['bench', 'cli', 'dht', 'record']) {
    const folder = new URL(`packages/${name}/`, ROOT)

    for (const path of readdirSync(new URL('test/', folder), {
      recursive: true,
      encoding: 'utf8'
    })) {
      if (path.endsWith('.test.ts')) {
        const text = readFileSync(new URL(`test/${path}`, folder), 'utf8')
        files.set(
          path.startsWith('net') && name !== 'bench' ? `test/${path}` : basename(path),
          text
        )
      }
    }
  }

  return files
}

/** Files, with the words that each is to have in a title. */
function claims({ heldBy = '' }: Row): { file: string; words: string[] }[] {
  return [...heldBy.matchAll(/`([^`]+\.test\.ts)`(?::((?:,? ?"[^"]+")+))?/g)].map(
    ([, file = '', words = '']) => ({
      file,
      words: [...words.matchAll(/"([^"]+)"/g)].map(([, word = '']) => word)
    })
  )
}

describe('what the document says of Hivemind', () => {
  const all = rows()
  const files = testFiles()

  it('has a test for each thing that is the same or better', () => {
    expect(all.length).toBeGreaterThan(120)
    const untested = all
      .filter(({ verdict }) => verdict === 'same' || verdict === 'better')
      .filter((row) => claims(row).length === 0 && row.heldBy !== 'see there')
    expect(untested.map(({ section, term }) => `${section}: ${term}`)).toEqual([])
  })

  it('names only tests that are there, by words of their titles', () => {
    const wrong = all.flatMap((row) =>
      claims(row).flatMap(({ file, words }) => {
        const text = files.get(file)
        return text === undefined
          ? [`${file} is not there`]
          : words.filter((word) => !text.includes(word)).map((word) => `${file}: "${word}"`)
      })
    )
    expect(wrong).toEqual([])
  })
})
