import { readFileSync, writeFileSync } from 'node:fs'
import { type AttackName, attackCalled, attackNames } from './attacks.ts'
import type { Comparison } from './comparison.ts'

const RESULTS = new URL('./results.json', import.meta.url)
const DOCUMENT = new URL('../../../../SECURITY.md', import.meta.url)

/** The position of the table in the document. */
const TABLE = /(?<=<!-- attacks -->\n)[\s\S]*?(?=<!-- \/attacks -->)/

/** Latencies of honest calls in the last measurement of an attack, in ms. */
export interface Result {
  readonly p50: number
  readonly p50Attacked: number
  readonly p99: number
  readonly p99Attacked: number
}

export type Results = Partial<Record<AttackName, Result>>

export function readResults(): Results {
  return JSON.parse(readFileSync(RESULTS, 'utf8')) as Results
}

/** Returns the document's present table. */
export function tableInDocument(): string {
  return TABLE.exec(readFileSync(DOCUMENT, 'utf8'))?.[0] ?? ''
}

/** Makes the table of all measured attacks, in the order of their definition. */
export function tableOf(results: Results): string {
  const rows = attackNames.flatMap((name) => {
    const result = results[name]
    return result === undefined ? [] : [row(attackCalled(name).what, result)]
  })
  return `
| attack | p50 beside load | attacked | p99 beside load | attacked |
| --- | ---: | ---: | ---: | ---: |
${rows.join('\n')}

${summaryOf(results)}
`
}

/** Says how often the p99 grows by how much, and which attack costs most. */
function summaryOf(results: Results): string {
  const measured = Object.entries(results) as [AttackName, Result][]
  const grown = measured.map(([, { p99, p99Attacked }]) => p99Attacked / p99)
  const count = (least: number, most: number): number =>
    grown.filter((times) => times > least && times <= most).length
  const [worst] = measured.toSorted(([, a], [, b]) => b.p99Attacked - a.p99Attacked)

  if (worst === undefined) {
    return ''
  }

  const [name, { p99Attacked }] = worst
  const medians = measured.map(([, { p50Attacked }]) => p50Attacked)
  return [
    `The median under attack is ${Math.max(...medians).toFixed(2)} ms at most.`,
    `Of ${measured.length} attacks, the p99 is at most twice that beside load in ${count(0, 2)},`,
    `at most four times in ${count(2, 4)}, and more in ${count(4, Number.POSITIVE_INFINITY)}.`,
    `The largest, ${p99Attacked.toFixed(2)} ms, comes from ${attackCalled(name).what}.\n`
  ].join(' ')
}

function row(what: string, { p50, p50Attacked, p99, p99Attacked }: Result): string {
  const figures = [p50, p50Attacked, p99, p99Attacked].map((ms) => ms.toFixed(2))
  return `| ${[what, ...figures].join(' | ')} |`
}

/** Stores a measurement, and updates the document. */
export function writeResult(
  name: AttackName,
  { during, control }: Pick<Comparison, 'during' | 'control'>
): void {
  const results = {
    ...readResults(),
    [name]: {
      p50: rounded(control.medianMs),
      p50Attacked: rounded(during.medianMs),
      p99: rounded(control.p99Ms),
      p99Attacked: rounded(during.p99Ms)
    }
  }
  const inOrder = Object.fromEntries(
    attackNames.flatMap((known) => (results[known] ? [[known, results[known]]] : []))
  )
  writeFileSync(RESULTS, `${JSON.stringify(inOrder, null, 2)}\n`)
  const document = readFileSync(DOCUMENT, 'utf8')
  writeFileSync(
    DOCUMENT,
    document.replace(TABLE, () => tableOf(inOrder as Results))
  )
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
