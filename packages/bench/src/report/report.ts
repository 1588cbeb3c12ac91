import { figure } from '../result/figure.ts'
import type { Chart } from '../result/result.ts'
import type { Circumstances, RecordedResult, Results } from '../result/results-file.ts'
import { chartSVG } from './chart.ts'
import { goalsTable, tableText } from './text.ts'

/** The document, next to the folder of its charts. */
export const DOCUMENT = 'benchmarks.md'
export const CHARTS_FOLDER = 'benchmarks'

const INTRODUCTION = [
  '# Benchmarks',
  '<!-- Generated from benchmarks.json by `pnpm bench:report`: changes made here get lost. -->',
  'Cost of Waggle next to other systems and to bare streams, measured by `pnpm bench`. Figures depend on the machine and its load; compare only figures of one scenario, which come from one run. Each goal names its limit and what was measured.'
]

/** Returns the files of the report by their paths, relative to the folder of the document. */
export function report(results: Results, order: readonly string[]): Map<string, string> {
  const recorded = Object.keys(results)
  // Scenarios that do not exist any more come last.
  const names = [
    ...order.filter((name) => recorded.includes(name)),
    ...recorded.filter((name) => !order.includes(name)).sort()
  ]
  const files = new Map<string, string>()
  const chapters = names.flatMap((name) => chapter(name, results[name] as RecordedResult, files))
  files.set(DOCUMENT, `${[...INTRODUCTION, ...chapters].join('\n\n')}\n`)
  return files
}

/** Returns the paragraphs of a scenario, and adds its charts to the files. */
function chapter(
  name: string,
  { title, effort, result, ...where }: RecordedResult,
  files: Map<string, string>
): string[] {
  const { notes, tables, goals } = result
  const draw = (chart: Chart, table: (typeof tables)[number]): string => {
    const path = `${CHARTS_FOLDER}/${name}-${chart.name}.svg`
    files.set(path, chartSVG(chart, table))
    return `![${chart.title}](${path})`
  }

  return [
    `## ${name}`,
    title,
    ...(effort === 'quick' ? ['A quick run, whose figures mean nothing.'] : []),
    describe(where),
    ...(goals.length > 0 ? ['### Goals', tableText(goalsTable(goals))] : []),
    '### Figures',
    ...tables.flatMap((table) => [
      `**${table.title}**`,
      tableText(table),
      ...(table.charts ?? []).map((chart) => draw(chart, table))
    ]),
    '### Method',
    ...notes
  ]
}

function describe({ machine, versions, commit, date }: Circumstances): string {
  const { cpu, cores, memoryBytes, os, load } = machine
  const memory = `${Math.round(memoryBytes / 1e9)} GB`
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`)

  return `Measured on ${date} at commit \`${commit}\`: ${cpu}, ${cores} cores, ${memory}, ${os}, load ${figure(load)} before the run; ${list.join(', ')}.`
}
