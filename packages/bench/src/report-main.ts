// `pnpm bench:report`: writes docs/benchmarks.md and its charts from docs/benchmarks.json.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CHARTS_FOLDER, report } from './report/report.ts'
import { readResults } from './results-file.ts'
import { longScenarios, scenarios } from './scenarios.ts'

const docs = new URL('../../../docs/', import.meta.url)
const results = readResults(fileURLToPath(new URL('benchmarks.json', docs)))
const files = report(
  results,
  [...scenarios, ...longScenarios].map(({ name }) => name)
)
const charts = new URL(`${CHARTS_FOLDER}/`, docs)

// Charts that there are no more are not to stay.
rmSync(charts, { recursive: true, force: true })
mkdirSync(charts, { recursive: true })

for (const [path, content] of files) {
  writeFileSync(new URL(path, docs), content)
}
