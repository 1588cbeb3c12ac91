import type { Goal, ScenarioResult, Table } from '../interface.ts'
import { cellText, heading } from './cells.ts'

/** A result as lines for the terminal. */
export function terminal({ tables, goals }: ScenarioResult): string {
  return [...tables.map(tableText), goalsText(goals)].filter((part) => part !== '').join('\n\n')
}

/** Numbers to the right, so that their digits stand under each other. */
function tableText({ title, columns, rows }: Table): string {
  const cells = [columns.map(heading), ...rows.map((row) => row.map(cellText))]
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)))
  const isText = columns.map((_, i) => rows.some((row) => typeof row[i] === 'string'))
  const lines = cells.map((row) =>
    row
      .map((cell, i) => (isText[i] ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  )
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')

  return [title, '', ...lines.slice(0, 1), rule, ...lines.slice(1)].join('\n')
}

function goalsText(goals: readonly Goal[]): string {
  return goals.map((goal) => `${verdict(goal)}  ${goal.text}: ${goal.measured}`).join('\n')
}

function verdict({ isMet }: Goal): string {
  if (isMet === undefined) {
    return '?     '
  }

  return isMet ? 'met   ' : 'missed'
}
