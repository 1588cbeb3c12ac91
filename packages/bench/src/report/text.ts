import { figure } from '../result/figure.ts'
import type { Cell, Goal, ScenarioResult, Table } from '../result/result.ts'

/** Formats a table in Markdown; padded, it can be read in a terminal. Numbers are aligned to the right. */
export function tableText({ columns, rows }: Table, { isPadded = false } = {}): string {
  const isText = columns.map((_, i) => rows.some((row) => typeof row[i] === 'string'))
  const rule = isText.map((isLeft) => (isLeft ? '---' : '--:'))
  const cells = [columns, rule, ...rows.map((row) => row.map(cellText))].map((row) =>
    row.map((cell) => cell.replaceAll('|', '\\|'))
  )
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)))
  const pad = (cell: string, i: number): string => {
    const fill = cell === rule[i] ? '-' : ' '
    const width = isPadded ? widths[i] : 0
    return isText[i] ? cell.padEnd(width ?? 0, fill) : cell.padStart(width ?? 0, fill)
  }

  return cells.map((row) => `| ${row.map(pad).join(' | ')} |`).join('\n')
}

/** Lists goals with the measured values. */
export function goalsTable(goals: readonly Goal[]): Table {
  const verdict = ({ isMet }: Goal): string =>
    isMet === undefined ? 'not measured' : isMet ? 'yes' : '**no**'

  return {
    title: 'Goals',
    columns: ['goal', 'measured', 'met'],
    rows: goals.map((goal) => [goal.text, goal.measured, verdict(goal)])
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
