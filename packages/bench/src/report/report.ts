import { figure } from '../result/figure.ts'
import type { Circumstances, RecordedResult, Results } from '../result/results-file.ts'
import { goalsTable, tableText } from './text.ts'

const INTRODUCTION = [
  '# Benchmarks',
  '<!-- Generated from benchmarks.json by `pnpm bench:report`: changes made here get lost. -->',
  'Cost of Waggle next to other systems and to bare streams, measured by `pnpm bench`. Figures depend on the machine and its load; compare only figures of one scenario, which come from one run. Each goal names its limit and what was measured.'
]

/** Returns the report: one chapter per scenario in the given order, and those of removed scenarios in the end. */
export function report(results: Results, order: readonly string[]): string {
  const removed = Object.keys(results).filter((name) => !order.includes(name))
  const chapters = [...order, ...removed.sort()].flatMap((name) => {
    const recorded = results[name]
    return recorded ? [`## ${name}`, ...chapter(recorded)] : []
  })

  return `${[...INTRODUCTION, ...chapters].join('\n\n')}\n`
}

function chapter({ title, effort, result, ...where }: RecordedResult): string[] {
  const { notes, tables, goals } = result

  return [
    title,
    ...(effort === 'quick' ? ['A quick run, whose figures mean nothing.'] : []),
    describe(where),
    ...(goals.length > 0 ? ['### Goals', tableText(goalsTable(goals))] : []),
    '### Figures',
    ...tables.flatMap((table) => [`**${table.title}**`, tableText(table)]),
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
