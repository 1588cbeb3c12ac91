import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url)

/** What stands between quotes of any kind, in one line. */
const LITERALS = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\\n]|\\.)*)`/g

interface Claim {
  readonly rule: string
  readonly file: string
  readonly words: readonly string[]
}

/** The rows of a document's table; one without a rule belongs to that of the row before. */
function claimsOf(document: string): Claim[] {
  const text = readFileSync(new URL(document, ROOT), 'utf8')
  const [, table = ''] = /^## Rule → test\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(text) ?? []
  const claims: Claim[] = []

  for (const line of table.split('\n').filter((line) => /^\| (?!rule|---)/.test(line))) {
    const [, rule = '', file = '', tests = ''] = line.split('|').map((cell) => cell.trim())
    const [name = ''] = rule === '' ? [claims.at(-1)?.rule] : rule.split(':')
    claims.push({ rule: name, file, words: tests.split('; ') })
  }

  return claims
}

function titlesIn(file: URL): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(LITERALS)].map(([, ...quoted]) => quoted.find(Boolean) ?? '')
}

function namesOf(letter: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${letter}${first + i}`)
}

describe.each([
  {
    document: 'docs/records.md',
    folder: 'packages/record/test/unit/',
    rules: [...namesOf('R', 1, 16), 'N1']
  },
  { document: 'docs/network.md', folder: 'packages/dht/test/', rules: namesOf('N', 2, 9) }
])('the table of $document', ({ document, folder, rules }) => {
  const claims = claimsOf(document)

  it('has a test for each rule', () => {
    expect([...new Set(claims.map(({ rule }) => rule))]).toEqual(rules)
  })

  it('names only tests that are there, by words of their titles', () => {
    const wrong = claims.flatMap(({ file, words }) => {
      const path = new URL(`${folder}${file}.test.ts`, ROOT)

      if (!existsSync(path)) {
        return [`${file} is not there`]
      }

      const titles = titlesIn(path)
      return words
        .filter((word) => !titles.some((title) => title.includes(word)))
        .map((word) => `${file}: ${word}`)
    })

    expect(wrong).toEqual([])
  })
})
