import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url)

/** The verdicts of docs/hivemind.md without a promise. */
const NO_PROMISE = /^(different|absent)$/

const NAME = /^[RNH]\d+[a-z]?$/

/** The text between quotes of any kind, in one line. */
const LITERALS = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\\n]|\\.)*)`/g

interface Claim {
  readonly rule: string
  readonly file: string
  readonly words: readonly string[]
}

function textOf(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** Lists the cells of each row of a document's tables. */
function rowsOf(document: string): string[][] {
  return textOf(document)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    )
}

/** Lists the numbered rows of a document, each with its last cell. */
function numbered(document: string): Map<string, string> {
  const rows = rowsOf(document).filter(([name = '']) => NAME.test(name))
  const names = new Map(rows.map(([name = '', ...cells]) => [name, cells.at(-1) ?? '']))
  expect(names.size, `${document} uses each number once`).toBe(rows.length)
  return names
}

/**
 * Lists the claims of docs/rules-and-tests.md. A row without a rule belongs to the rule above it.
 */
function claimsMade(): Claim[] {
  const claims: Claim[] = []

  for (const [name = '', file = '', words = ''] of rowsOf('docs/rules-and-tests.md')) {
    if (name === '' || NAME.test(name)) {
      const rule = name === '' ? (claims.at(-1)?.rule ?? '') : name
      claims.push({ rule, file, words: words === '' ? [] : words.split('; ') })
    }
  }

  return claims
}

function literalsIn(path: string): string[] {
  return [...textOf(path).matchAll(LITERALS)].map(([, ...quoted]) => quoted.find(Boolean) ?? '')
}

/** Lists the rules that a title ends with. */
function rulesOf(title: string): string[] {
  const [, list = ''] = /\((.*)\)$/.exec(title) ?? []
  return list.split(', ').filter((name) => NAME.test(name))
}

/** Lists the rules in titles of tests, each with a file that names it. */
function rulesInTitles(): Map<string, string> {
  const files = globSync('packages/*/test/**/*.test.{ts,tsx}', { cwd: fileURLToPath(ROOT) })
  return new Map(
    files.flatMap((file) =>
      literalsIn(file)
        .flatMap(rulesOf)
        .map((name) => [name, file] as const)
    )
  )
}

const rules = [...numbered('docs/records.md').keys(), ...numbered('docs/network.md').keys()]
const hivemind = numbered('docs/hivemind.md')
const promises = [...hivemind].filter(([, verdict]) => !NO_PROMISE.test(verdict))
const claims = claimsMade()

describe('docs/rules-and-tests.md', () => {
  it('has a test for each rule, and for each row about Hivemind that promises something', () => {
    expect(rules).toEqual(expect.arrayContaining(['R16', 'N7', 'N8a', 'N9a']))
    expect(promises.length).toBeGreaterThan(90)
    const claimed = new Set(claims.map(({ rule }) => rule))
    const needed = [...rules, ...promises.map(([name]) => name)]
    expect(needed.filter((name) => !claimed.has(name))).toEqual([])
  })

  it('names only rules and rows that exist', () => {
    const known = new Set([...rules, ...hivemind.keys()])
    expect(claims.map(({ rule }) => rule).filter((name) => !known.has(name))).toEqual([])
  })

  it('names only tests that exist, by words of their titles, under the rules that these name', () => {
    const wrong = claims.flatMap(({ rule, file, words }) => {
      const [, folder, name] = /^(\w+)\/(.+)$/.exec(file) ?? []
      const path = ['.ts', '.tsx']
        .map((extension) => `packages/${folder}/test/${name}.test${extension}`)
        .find((candidate) => existsSync(new URL(candidate, ROOT)))

      if (path === undefined) {
        return [`${file} does not exist`]
      }

      const titles = literalsIn(path)
      return words
        .filter((word) => {
          const meant = titles.filter((title) => title.includes(word))
          const named = rule.startsWith('H') ? [] : meant.flatMap(rulesOf)
          return meant.length === 0 || (named.length > 0 && !named.includes(rule))
        })
        .map((word) => `${rule} ${file}: ${word}`)
    })

    expect(wrong).toEqual([])
  })
})

describe('the titles of tests', () => {
  const named = rulesInTitles()

  it('name each rule', () => {
    expect(rules.filter((name) => !named.has(name))).toEqual([])
  })

  it('name only rules that exist', () => {
    expect([...named].filter(([name]) => !rules.includes(name))).toEqual([])
  })
})
