import type { Results } from '../results-file.ts'
import { chartSVG } from './chart.ts'
import { chapter, paragraphs } from './markdown.ts'

/** The document, beside the folder that holds its charts. */
export const DOCUMENT = 'benchmarks.md'
export const CHARTS_FOLDER = 'benchmarks'

const INTRODUCTION = `# Benchmarks

<!-- Generated from benchmarks.json by \`pnpm bench:report\`: changes made here get lost. -->

What Waggle costs, beside other systems and beside bare streams, by \`pnpm bench\`. Absolute figures belong to one machine, and move with what else
it does; figures of one scenario come from one run and can be compared. Each goal says what is to hold and what was measured.`

/** The files of the report by their paths, relative to the folder of the document: the same for the same results. */
export function report(results: Results, order: readonly string[]): Map<string, string> {
  const files = new Map<string, string>()
  const chapters = names(results, order).map((name) => {
    const recorded = results[name]

    for (const chart of recorded?.result.charts ?? []) {
      files.set(chartPath(name, chart), chartSVG(chart))
    }

    return recorded === undefined ? '' : chapter(name, recorded, (chart) => chartPath(name, chart))
  })

  files.set(DOCUMENT, `${paragraphs([INTRODUCTION, ...chapters])}\n`)
  return files
}

/** Scenarios that there are no more come last. */
function names(results: Results, order: readonly string[]): string[] {
  const recorded = Object.keys(results)

  return [
    ...order.filter((name) => recorded.includes(name)),
    ...recorded.filter((name) => !order.includes(name)).sort()
  ]
}

function chartPath(name: string, chart: { readonly name: string }): string {
  return `${CHARTS_FOLDER}/${name}-${chart.name}.svg`
}
