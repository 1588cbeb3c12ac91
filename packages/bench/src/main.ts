// `pnpm bench`: see the usage in command.ts.
import { fileURLToPath } from 'node:url'
import { run } from './command.ts'

const controller = new AbortController()

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => controller.abort(new Error(`ended by ${name}`)))
}

process.exitCode = await run(process.argv.slice(2), {
  defaultOut: fileURLToPath(new URL('../../../docs/benchmarks.json', import.meta.url)),
  defaultReport: fileURLToPath(new URL('../../../docs/benchmarks.md', import.meta.url)),
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  signal: controller.signal
})
