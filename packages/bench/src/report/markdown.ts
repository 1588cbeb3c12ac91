import type { Chart, Goal, Table } from '../interface.ts'
import type { Circumstances } from '../machine.ts'
import type { RecordedResult } from '../results-file.ts'
import { cellText, heading } from './cells.ts'
import { figure } from './figure.ts'

const BYTES_PER_GB = 1e9

/** One scenario as a chapter. */
export function chapter(
  name: string,
  { title, effort, result, ...where }: RecordedResult,
  chartPath: (chart: Chart) => string
): string {
  const { notes, tables, charts, goals } = result

  return paragraphs([
    `## ${name}`,
    title,
    ...(effort === 'quick'
      ? ['A quick run, which only shows that everything works: its figures mean nothing.']
      : []),
    circumstances(where),
    ...(goals.length > 0 ? ['### Goals', goalsTable(goals)] : []),
    '### Figures',
    ...tables.flatMap((table) => [`**${table.title}**`, tableText(table)]),
    ...charts.map((chart) => `![${chart.title}](${chartPath(chart)})`),
    ...(notes.length > 0 ? ['### How it was measured', ...notes] : [])
  ])
}

/** Parts with an empty line between them. */
export function paragraphs(parts: readonly string[]): string {
  return parts.join('\n\n')
}

function circumstances({ machine, versions, commit, date }: Circumstances): string {
  const { cpu, cores, memoryBytes, os, load } = machine
  const memory = `${Math.round(memoryBytes / BYTES_PER_GB)} GB`
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`)

  return `Measured on ${date} at commit \`${commit}\`: ${cpu}, ${cores} cores, ${memory}, ${os}, load ${figure(load)} before it began; ${list.join(', ')}.`
}

function goalsTable(goals: readonly Goal[]): string {
  return tableText({
    title: 'Goals',
    columns: [{ title: 'goal' }, { title: 'measured' }, { title: 'met' }],
    rows: goals.map((goal) => [goal.text, goal.measured, verdict(goal)])
  })
}

function verdict({ isMet }: Goal): string {
  if (isMet === undefined) {
    return 'not measured'
  }

  return isMet ? 'yes' : '**no**'
}

/** Numbers to the right. */
function tableText({ columns, rows }: Table): string {
  const isText = columns.map((_, i) => rows.some((row) => typeof row[i] === 'string'))
  const lines = [
    columns.map(heading),
    columns.map((_, i) => (isText[i] ? '---' : '---:')),
    ...rows.map((row) => row.map(cellText))
  ]

  return lines.map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n')
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|')
}
