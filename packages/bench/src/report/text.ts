import { figure } from '../result/figure.ts'
import type { Cell, Goal, ScenarioResult, Table } from '../result/result.ts'

/** Formats a table in Markdown; padded, it can be read in a terminal. Numbers are aligned to the right. */
export function tableText({ columns, rows }: Table, { isPadded = false } = {}): string {
  const isText = columns.map((_, i) => rows.some((row) => typeof row[i] === 'string'))
  const cells = [columns, ...rows.map((row) => row.map(cellText))].map((row) =>
    row.map((cell) => cell.replaceAll('|', '\\|'))
  )
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0), 4))
  const rule = isText.map((isLeft, i) => {
    const dashes = '-'.repeat(isPadded ? (widths[i] ?? 0) - 1 : 3)
    return isLeft ? `${dashes}${isPadded ? '-' : ''}` : `${dashes}:`
  })
  const pad = (cell: string, i: number): string => {
    const width = isPadded ? (widths[i] ?? 0) : 0
    return isText[i] ? cell.padEnd(width) : cell.padStart(width)
  }
  const [head = [], ...body] = cells

  return [head.map(pad), rule, ...body.map((row) => row.map(pad))]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
}

/** Lists goals with what was measured. */
export function goalsTable(goals: readonly Goal[]): Table {
  return {
    title: 'Goals',
    columns: ['goal', 'measured', 'met'],
    rows: goals.map(({ text, measured, isMet }) => [
      text,
      measured,
      isMet === undefined ? 'not measured' : isMet ? 'yes' : '**no**'
    ])
  }
}

/** Formats a result for the terminal. */
export function terminal({ tables, goals }: ScenarioResult): string {
  return [...tables, ...(goals.length > 0 ? [goalsTable(goals)] : [])]
    .map((table) => `${table.title}\n\n${tableText(table, { isPadded: true })}`)
    .join('\n\n')
}

function cellText(cell: Cell): string {
  return typeof cell === 'number' ? figure(cell) : (cell ?? '–')
}
